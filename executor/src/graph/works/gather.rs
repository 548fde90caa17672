//! Batches and windows: global works that gather items in order of arrival.

use std::collections::VecDeque;

use crate::graph::{Item, Key, Moment, Queue, Topology};

impl Topology {
    /// Adds a work that gathers items into batches of `size`, in order of arrival. The last batch may be shorter. The
    /// key of a batch is made of the keys of its first and last item. Errors pass on by themselves, under their
    /// keys.
    ///
    /// ```
    /// # use terzetto_executor::{ExecutorSequential, Key, Options, Topology};
    /// let mut topology = Topology::new("batches");
    /// let numbers = topology.queue::<u64>("numbers");
    /// let batches = topology.queue::<Vec<(Key, u64)>>("batches");
    /// let sums = topology.results::<u64>("sums");
    /// topology.source("count", &numbers, (1..=5).map(|n| (n.to_string(), n)));
    /// topology.batches("gather", &numbers, &batches, 2);
    /// topology.cpu("add", &batches).to(&sums).each(|_, batch| Ok(batch.iter().map(|(_, n)| n).sum()));
    /// ExecutorSequential::new(topology, Options::new())?.run()?;
    /// let sums: Vec<_> = sums.drain().into_iter().map(|(key, sum)| (key.to_string(), sum.ok())).collect();
    /// assert_eq!(sums, [("1..2".into(), Some(3)), ("3..4".into(), Some(7)), ("5".into(), Some(5))]);
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn batches<T: Send + 'static>(
        &mut self,
        name: &str,
        input: &Queue<T>,
        output: &Queue<Vec<(Key, T)>>,
        size: usize,
    ) {
        let mut batches = Batches::new(size);
        self.global(name, input, output, move |input, output, moment| {
            batches.gather(input, output, moment);
            Ok(())
        });
    }

    /// Adds a work that gathers items into windows of `size`, in order of arrival. Each window begins `step` items
    /// after the one before. With `step` below `size` they overlap, and values are cloned. Items at the end that are
    /// in no window make a last one, which is shorter. Keys and errors are as for [`batches`](Topology::batches).
    ///
    /// Items arrive in the order of their source if the works in between run one call at a time
    /// ([`max_workers(1)`](crate::graph::EachBuilder::max_workers)).
    pub fn windows<T: Clone + Send + 'static>(
        &mut self,
        name: &str,
        input: &Queue<T>,
        output: &Queue<Vec<(Key, T)>>,
        size: usize,
        step: usize,
    ) {
        let mut windows = Windows::new(size, step);
        self.global(name, input, output, move |input, output, moment| {
            windows.gather(input, output, moment);
            Ok(())
        });
    }
}

/// Gathers items until there are `size` of them. Errors pass on by themselves.
struct Batches<T> {
    size: usize,
    held: Vec<(Key, T)>,
}

impl<T> Batches<T> {
    pub fn new(size: usize) -> Self {
        Batches { size: size.max(1), held: Vec::new() }
    }

    pub fn gather(&mut self, input: &Queue<T>, output: &Queue<Vec<(Key, T)>>, moment: Moment) {
        while output.room() > 0
            && let Some(item) = input.pop()
        {
            match item {
                (key, Ok(value)) => self.held.push((key, value)),
                (key, Err(error)) => output.push_item((key, Err(error))),
            }
            if self.held.len() == self.size {
                push(output, std::mem::take(&mut self.held));
            }
        }
        if moment == Moment::End && input.is_empty() && !self.held.is_empty() {
            push(output, std::mem::take(&mut self.held));
        }
    }
}

/// Gathers overlapping windows of `size` items, each `step` items after the one before. Errors pass on by
/// themselves.
struct Windows<T> {
    size: usize,
    step: usize,
    held: VecDeque<(Key, T)>,
    /// How many items are dropped before the next window, because steps are longer than windows.
    skip: usize,
    /// How many of the last held items are in no window yet.
    new: usize,
}

impl<T: Clone> Windows<T> {
    pub fn new(size: usize, step: usize) -> Self {
        Windows { size: size.max(1), step: step.max(1), held: VecDeque::new(), skip: 0, new: 0 }
    }

    pub fn gather(&mut self, input: &Queue<T>, output: &Queue<Vec<(Key, T)>>, moment: Moment) {
        while output.room() > 0
            && let Some(item) = input.pop()
        {
            self.add(item, output);
        }
        // Items that are in no window yet make a last one, which is shorter.
        if moment == Moment::End && input.is_empty() && self.new > 0 {
            push(output, self.held.drain(..).collect());
            self.new = 0;
        }
    }

    fn add(&mut self, (key, value): Item<T>, output: &Queue<Vec<(Key, T)>>) {
        match value {
            Err(error) => return output.push_item((key, Err(error))),
            Ok(_) if self.skip > 0 => {
                self.skip -= 1;
                return;
            }
            Ok(value) => self.held.push_back((key, value)),
        }
        self.new += 1;
        if self.held.len() == self.size {
            push(output, self.held.iter().cloned().collect());
            self.new = 0;
            self.skip = self.step.saturating_sub(self.size);
            self.held.drain(..self.step.min(self.size));
        }
    }
}

/// Puts gathered items into a queue, under a key made of the first and the last one.
fn push<T>(output: &Queue<Vec<(Key, T)>>, items: Vec<(Key, T)>) {
    let key = match &items[..] {
        [] => return,
        [(only, _)] => only.clone(),
        [(first, _), .., (last, _)] => Key::from(format!("{first}..{last}")),
    };
    output.push(key, items);
}
