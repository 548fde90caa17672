//! Random topologies: whatever the graph, the limits and the luck of the threads, all executors find
//! the same, and none waits for ever.

use std::{collections::BTreeMap, thread, time::Duration};

use terzetto::Error;
use terzetto::time::Backoff;
use terzetto_executor::{
    BoxError, Ending, ExecutorAsync, ExecutorSequential, Key, Moment, Options, Outcome, Queue, Topology,
};

/// xorshift, so that a seed says all.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            dice.below(2);
        }
        dice
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}

/// What every work does: it depends on the work and the value only.
fn work(number: usize, n: usize) -> Result<usize, BoxError> {
    let n = n.wrapping_mul(31).wrapping_add(number * 7919) % 1_000_003;
    match n {
        _ if n.is_multiple_of(23) => return Err(format!("bad {n}").into()),
        _ if n.is_multiple_of(61) => panic!("worse {n}"),
        _ if n.is_multiple_of(11) => thread::sleep(Duration::from_micros(n as u64 % 400)),
        _ => {}
    }
    Ok(n)
}

/// A queue that no work takes from yet, and which sources its keys come from.
#[derive(Clone)]
struct Open {
    queue: Queue<usize>,
    sources: usize,
}

struct Builder {
    topology: Topology,
    dice: Dice,
    open: Vec<Open>,
    results: Vec<Queue<usize>>,
    count: usize,
    /// May works be tasks? An executor without a loop cannot run them.
    tasks: bool,
}

impl Builder {
    fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what} {}", self.count)
    }

    fn queue(&mut self) -> Queue<usize> {
        let name = self.name("queue");
        match self.dice.below(4) {
            0 => self.topology.queue_with_limit(name, 1 + self.dice.below(3)),
            _ => self.topology.queue(name),
        }
    }

    fn take(&mut self) -> Open {
        let at = self.dice.below(self.open.len());
        self.open.swap_remove(at)
    }

    fn source(&mut self, index: usize) {
        let queue = self.queue();
        let length = self.dice.below(60);
        let items = (0..length).map(move |n| (format!("{index}-{n:02}"), 1000 * index + n));
        let name = self.name("source");
        if self.dice.below(2) == 0 {
            self.topology.source(&name, &queue, items);
        } else {
            self.topology.one_shot(&name, (), &queue, move |(), queue| {
                items.for_each(|(key, n)| queue.push(key, n));
                Ok(())
            });
        }
        self.open.push(Open { queue, sources: 1 << index });
    }

    /// Adds a work between two queues.
    fn pass(&mut self, from: &Queue<usize>, to: &Queue<usize>) {
        let (name, number) = (self.name("work"), self.count);
        match self.dice.below(6) {
            0 => self.topology.global(&name, from, to, |from, to, _: Moment| {
                while to.room() > 0
                    && let Some(item) = from.pop()
                {
                    to.push_item(item);
                }
                Ok(())
            }),
            1 | 2 => {
                let (at_once, priority, gpus) =
                    (1 + self.dice.below(3), self.dice.below(3) as i32 - 1, self.dice.below(3) as u64);
                let (times, backoff) = (self.dice.below(3) as u32, Backoff::constant(0.00001));
                let is_task = self.dice.below(2) == 0 && self.tasks;
                if is_task {
                    let task = self.topology.task(&name, from).max_workers(at_once).uses("gpu", gpus);
                    let task = task.priority(priority).retry(times, backoff).to(to);
                    task.each(async move |_, n| {
                        for _ in 0..n % 3 {
                            terzetto::checkpoint().await?;
                        }
                        work(number, n)
                    });
                } else {
                    let io = self.topology.io(&name, from).max_workers(at_once).uses("gpu", gpus);
                    io.priority(priority).retry(times, backoff).to(to).each(move |_, n| work(number, n));
                }
            }
            3 => {
                let many = move |key: &Key, n| Ok([(key.clone(), work(number, n)?)]);
                self.topology.cpu(&name, from).to(to).flat_map(many);
            }
            _ => self.topology.cpu(&name, from).to(to).each(move |_, n| work(number, n)),
        }
    }

    fn step(&mut self) {
        let first = self.take();
        match self.dice.below(4) {
            0 => {
                let to = self.queue();
                self.pass(&first.queue, &to);
                self.open.push(Open { queue: to, ..first });
            }
            1 if self.open.len() < 6 => {
                let (name, number, a, b) = (self.name("split"), self.count, self.queue(), self.queue());
                let split = move |_: &Key, n| Ok((work(number, n)?, n));
                self.topology.cpu(&name, &first.queue).to((&a, &b)).each(split);
                let sources = first.sources;
                self.open.extend([a, b].map(|queue| Open { queue, sources }));
            }
            2 => match self.open.iter().position(|other| other.sources == first.sources) {
                Some(at) => {
                    let second = self.open.swap_remove(at);
                    let (name, to) = (self.name("join"), self.queue());
                    let input = (&first.queue, &second.queue);
                    self.topology.io(&name, input).to(&to).each(|_, (a, b)| Ok(3 * a + b));
                    self.open.push(Open { queue: to, ..first });
                }
                None => self.open.push(first),
            },
            _ => match self.open.iter().position(|other| other.sources & first.sources == 0) {
                Some(at) => {
                    let second = self.open.swap_remove(at);
                    let (merged, to) = (self.queue(), self.queue());
                    self.pass(&first.queue, &merged);
                    self.pass(&second.queue, &merged);
                    // One writer again, so that it may be joined.
                    self.pass(&merged, &to);
                    self.open.push(Open { queue: to, sources: first.sources | second.sources });
                }
                None => self.open.push(first),
            },
        }
    }

    fn end(&mut self, open: Open) {
        let name = self.name("results");
        let results = self.topology.results(name);
        let (name, number) = (self.name("end"), self.count);
        self.topology.cpu(&name, &open.queue).to(&results).each(move |_, n| work(number, n));
        self.results.push(results);
    }
}

fn build(seed: u64, tasks: bool) -> (Topology, Vec<Queue<usize>>) {
    let (topology, dice) = (Topology::new(format!("seed {seed}")), Dice::new(seed));
    let mut builder = Builder { topology, dice, open: Vec::new(), results: Vec::new(), count: 0, tasks };
    let sources = 1 + builder.dice.below(3);
    (0..sources).for_each(|index| builder.source(index));
    for _ in 0..builder.dice.below(9) {
        builder.step();
    }
    while let Some(open) = builder.open.pop() {
        builder.end(open);
    }
    (builder.topology, builder.results)
}

type Found = Vec<BTreeMap<String, Result<usize, String>>>;

fn found(outcome: &Outcome, results: &[Queue<usize>]) -> Found {
    assert_eq!(outcome.ending, Ending::Finished);
    let of_queue = |queue: &Queue<usize>| -> BTreeMap<_, _> {
        let items = queue.drain().into_iter();
        items.map(|(key, value)| (key.to_string(), value.map_err(|error| error.to_string()))).collect()
    };
    let found: Found = results.iter().map(of_queue).collect();
    let all: usize = found.iter().map(BTreeMap::len).sum();
    assert_eq!(outcome.done + outcome.failed_count, all, "each end is counted once");
    found
}

#[test]
fn all_executors_find_the_same() -> Result<(), Error> {
    std::panic::set_hook(Box::new(|info| {
        if !info.to_string().contains("worse") {
            eprintln!("{info}");
        }
    }));
    // More, for who has time: TERZETTO_SEEDS=10000.
    let seeds = std::env::var("TERZETTO_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    for seed in 0..seeds {
        let (topology, results) = build(seed, false);
        let reference =
            found(&ExecutorSequential::new(topology, Options::new().resource("gpu", 2))?.run()?, &results);
        let mut dice = Dice::new(seed + 1_000_000);
        for threads in [true, true, false] {
            let (topology, results) = build(seed, true);
            let (workers, limit) = (1 + dice.below(5), 1 + dice.below(9));
            let options = Options::new().max_workers(workers).queue_limit(limit).resource("gpu", 2);
            let executor = match threads {
                true => ExecutorAsync::new(topology, options)?,
                false => ExecutorAsync::on_one_thread(topology, options)?,
            };
            let outcome = terzetto::run(terzetto::fail_after(60.0, executor.run()));
            let outcome = outcome.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert!(
                found(&outcome, &results) == reference,
                "seed {seed}, {workers} workers, queues of {limit}, threads: {threads}"
            );
        }
    }
    Ok(())
}
