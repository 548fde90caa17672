//! Windows in time: each image with its neighbours, gathered as images arrive.
//!
//! Images are read by several workers and come in any order. Those that windows still want are held, windows leave in
//! order; so what is held is a window, and what came too early, which the queues bound.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::Arc,
};

use terzetto_kernels::Image;

use crate::{Item, ItemError, Key, Moment, Queue};

/// An image and those around it.
pub(super) struct Window {
    /// The neighbours, the image itself among them, in order. Those that could not be read are left out.
    pub images: Vec<Arc<Image>>,
    /// The key of each of them.
    pub keys: Vec<Key>,
    /// Which of them is the image.
    pub middle: usize,
}

/// The windows of some images of a series.
pub(super) struct Windows {
    /// The keys of all images that any window wants, in order.
    keys: Vec<Key>,
    /// For each window, which images it wants and which of these is its own.
    wanted: VecDeque<(Range<usize>, usize)>,
    held: HashMap<Key, Result<Arc<Image>, ItemError>>,
    /// Images before this one are wanted no more.
    forgotten: usize,
}

impl Windows {
    /// Windows around each of `own`, which index `keys` and ascend, with up to `half` images on each side.
    pub fn new(keys: Vec<Key>, own: &[usize], half: usize) -> Windows {
        let count = keys.len();
        let wanted = own.iter().map(|&index| (neighbours(index, half, count), index)).collect();
        Windows { keys, wanted, held: HashMap::new(), forgotten: 0 }
    }

    /// A call as a global work.
    pub fn advance(&mut self, images: &Queue<Arc<Image>>, windows: &Queue<Window>, moment: Moment) {
        self.send(windows, moment);
        while windows.room() > 0 || moment == Moment::End {
            let Some((key, image)) = images.pop() else { break };
            self.held.insert(key, image);
            self.send(windows, moment);
        }
    }

    /// Lets windows go that are complete, in order, as far as there is room. At the end, all are complete.
    fn send(&mut self, windows: &Queue<Window>, moment: Moment) {
        while windows.room() > 0 || moment == Moment::End {
            let Some((range, own)) = self.wanted.front().cloned() else { return };
            let is_here = |index: usize| self.held.contains_key(&self.keys[index]);
            if moment == Moment::Change && !range.clone().all(is_here) {
                return;
            }
            self.wanted.pop_front();
            windows.push_item(self.window(range.clone(), own));
            for index in self.forgotten..range.start {
                self.held.remove(&self.keys[index]);
            }
            self.forgotten = self.forgotten.max(range.start);
        }
    }

    fn window(&self, range: Range<usize>, own: usize) -> Item<Window> {
        let key = self.keys[own].clone();
        let found = |index: usize| self.held.get(&self.keys[index]);
        let (images, keys) = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len()));
        let mut window = Window { images, keys, middle: 0 };
        for index in range {
            match found(index) {
                Some(Ok(image)) => {
                    if index == own {
                        window.middle = window.images.len();
                    }
                    window.images.push(image.clone());
                    window.keys.push(self.keys[index].clone());
                }
                // A neighbour that cannot be read is left out, and told under its own name.
                Some(Err(error)) if index == own => return (key, Err(error.clone())),
                None if index == own => {
                    let error = ItemError::new(&Arc::from("gather windows"), &key, "it never arrived".into());
                    return (key, Err(error));
                }
                _ => {}
            }
        }
        (key, Ok(window))
    }
}

/// The images around one, as many as there are on each side up to `half`.
pub(super) fn neighbours(index: usize, half: usize, count: usize) -> Range<usize> {
    index.saturating_sub(half)..(index + half + 1).min(count)
}

/// All images that windows around `own` want, in order.
pub(super) fn wanted(own: &[usize], half: usize, count: usize) -> Vec<usize> {
    let mut wanted = Vec::new();
    for &index in own {
        let next = wanted.last().map_or(0, |last| last + 1);
        let range = neighbours(index, half, count);
        wanted.extend(range.start.max(next)..range.end);
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_cut_at_the_ends_and_wanted_once() {
        assert_eq!(neighbours(0, 2, 5), 0..3);
        assert_eq!(neighbours(3, 2, 5), 1..5);
        assert_eq!(wanted(&[0, 1, 6], 1, 8), [0, 1, 2, 5, 6, 7]);
        assert_eq!(wanted(&[2, 3], 0, 8), [2, 3]);
        assert_eq!(wanted(&[], 3, 8), [0_usize; 0]);
    }
}
