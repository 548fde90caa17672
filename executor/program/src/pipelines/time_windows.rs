//! Windows in time: each image with its neighbours, gathered as images come.
//!
//! Several workers read images, so they come in any order. Windows leave in order. An image is held as long as a window
//! wants it. So what is held is one window, and the images that came too early. The number of these has a bound: while
//! one image is slow to read, the rest of the series waits in the queue, and is not read before its turn.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::Arc,
};

use terzetto_executor::{Item, ItemError, Key, Moment, Queue};
use terzetto_kernels::Image;

/// An image and its neighbours in time.
pub(super) struct TimeWindow {
    /// The images in order, with the image itself among them. Neighbours that could not be read are left out.
    pub images: Vec<Arc<Image>>,
    /// The key of each of them.
    pub keys: Vec<Key>,
    /// The index of the image itself.
    pub middle: usize,
}

/// The windows of some images of a series, while they are gathered.
pub(super) struct TimeWindows {
    /// The keys of all images of the series, in order.
    keys: Vec<Key>,
    /// For each window the range of its images, and the index of its own image.
    wanted: VecDeque<(Range<usize>, usize)>,
    held: HashMap<Key, Result<Arc<Image>, ItemError>>,
    /// Are images read in the order of the series, directly into the queue? Then the wanted image always finds a place
    /// in the queue, and others may stay there.
    bounded: bool,
    /// Images before this index have been dropped.
    dropped: usize,
}

impl TimeWindows {
    /// TimeWindows around each of `own`, which index `keys` and ascend, with up to `half` images on each side.
    pub fn new(keys: Vec<Key>, own: &[usize], half: usize, bounded: bool) -> TimeWindows {
        let count = keys.len();
        let wanted = own.iter().map(|&index| (neighbours(index, half, count), index)).collect();
        TimeWindows { keys, wanted, held: HashMap::new(), bounded, dropped: 0 }
    }

    /// Moves what can be moved. The global work calls it.
    pub fn advance(&mut self, images: &Queue<Arc<Image>>, windows: &Queue<TimeWindow>, moment: Moment) {
        self.send(windows, moment);
        while windows.room() > 0 || moment == Moment::End {
            let Some((key, image)) = self.next(images, moment) else { break };
            self.held.insert(key, image);
            self.send(windows, moment);
        }
    }

    /// Takes an image out of the queue. If enough images came too early, only one that the next window wants.
    fn next(&self, images: &Queue<Arc<Image>>, moment: Moment) -> Option<Item<Arc<Image>>> {
        let Some((range, _)) = self.wanted.front().filter(|_| self.bounded && moment == Moment::Change)
        else {
            return images.pop();
        };
        if self.held.len() < range.len().saturating_add(images.limit()) {
            return images.pop();
        }
        let mut missing = self.keys[range.clone()].iter().filter(|key| !self.held.contains_key(*key));
        missing.find_map(|key| Some((key.clone(), images.take(key)?)))
    }

    /// Sends complete windows in order, while there is room. At the end, all windows count as complete.
    fn send(&mut self, windows: &Queue<TimeWindow>, moment: Moment) {
        while windows.room() > 0 || moment == Moment::End {
            let Some((range, own)) = self.wanted.front().cloned() else { return };
            let is_here = |index: usize| self.held.contains_key(&self.keys[index]);
            if moment == Moment::Change && !range.clone().all(is_here) {
                return;
            }
            self.wanted.pop_front();
            windows.push_item(self.window(range.clone(), own));
            for index in self.dropped..range.start {
                self.held.remove(&self.keys[index]);
            }
            self.dropped = self.dropped.max(range.start);
        }
    }

    fn window(&self, range: Range<usize>, own: usize) -> Item<TimeWindow> {
        let key = self.keys[own].clone();
        let found = |index: usize| self.held.get(&self.keys[index]);
        let (images, keys) = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len()));
        let mut window = TimeWindow { images, keys, middle: 0 };
        for index in range {
            match found(index) {
                Some(Ok(image)) => {
                    if index == own {
                        window.middle = window.images.len();
                    }
                    window.images.push(image.clone());
                    window.keys.push(self.keys[index].clone());
                }
                // A neighbour that could not be read is left out. Its error is reported under its own key.
                Some(Err(error)) if index == own => return (key, Err(error.clone())),
                None if index == own => {
                    let error = ItemError::new("gather windows", &key, "it never arrived");
                    return (key, Err(error));
                }
                _ => {}
            }
        }
        (key, Ok(window))
    }
}

/// The range of an image and its neighbours: up to `half` on each side.
pub(super) fn neighbours(index: usize, half: usize, count: usize) -> Range<usize> {
    index.saturating_sub(half)..(index + half + 1).min(count)
}

/// All images in the windows of `own`, in order.
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
    fn what_comes_too_early_waits_in_the_queue() {
        let images = Queue::<Arc<Image>>::standalone("images", 3);
        let windows = Queue::<TimeWindow>::standalone("windows", usize::MAX);
        let keys: Vec<Key> = (0..20).map(|index| Key::from(index.to_string())).collect();
        let own: Vec<usize> = (0..20).collect();
        let mut gathered = TimeWindows::new(keys.clone(), &own, 1, true);
        let image = Arc::new(Image::from_fn(1, 1, |_, _| 0.0));
        for key in &keys[1..] {
            images.push(key.clone(), image.clone());
            gathered.advance(&images, &windows, Moment::Change);
        }
        assert_eq!((gathered.held.len(), images.len(), windows.len()), (5, 14, 0));
        images.push(keys[0].clone(), image);
        gathered.advance(&images, &windows, Moment::Change);
        gathered.advance(&images, &windows, Moment::End);
        assert_eq!((images.len(), windows.keys()), (0, keys));
        assert!(
            windows.drain().into_iter().all(|(_, window)| window.is_ok_and(|window| window.images.len() > 1))
        );
    }

    #[test]
    fn windows_are_cut_at_the_ends_and_wanted_once() {
        assert_eq!(neighbours(0, 2, 5), 0..3);
        assert_eq!(neighbours(3, 2, 5), 1..5);
        assert_eq!(wanted(&[0, 1, 6], 1, 8), [0, 1, 2, 5, 6, 7]);
        assert_eq!(wanted(&[2, 3], 0, 8), [2, 3]);
        assert_eq!(wanted(&[], 3, 8), [0_usize; 0]);
    }
}
