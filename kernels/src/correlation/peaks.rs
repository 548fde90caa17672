//! Where the correlation peaks.

use super::map::CorrelationMap;
use crate::lanes;

/// The most peaks that are searched in one map.
pub const MAX_PEAKS: usize = 4;

/// A maximum of the correlation at a whole-pixel displacement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Peak {
    /// Displacement to the right, px.
    pub dx: i32,
    /// Displacement downwards, px.
    pub dy: i32,
    /// The correlation there.
    pub value: f32,
}

/// The peaks of one map, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Peaks {
    list: [Peak; MAX_PEAKS],
    count: usize,
}

impl Peaks {
    /// The peaks found.
    pub fn as_slice(&self) -> &[Peak] {
        &self.list[..self.count]
    }

    /// The highest peak; none if the map holds no number.
    pub fn first(&self) -> Option<Peak> {
        self.as_slice().first().copied()
    }

    /// The height of the first peak over that of the second: how sure one can be of the first. Infinite
    /// if nothing else rises above zero, NaN without a peak.
    pub fn ratio(&self) -> f64 {
        match self.as_slice() {
            [first, second, ..] if second.value > 0.0 => f64::from(first.value / second.value),
            [] => f64::NAN,
            _ => f64::INFINITY,
        }
    }

    fn push(&mut self, peak: Peak) {
        self.list[self.count] = peak;
        self.count += 1;
    }
}

impl CorrelationMap {
    /// The highest `count` peaks (at most [`MAX_PEAKS`]) within the reach. The first is the largest value;
    /// each further one is the largest value that exceeds its eight neighbours and lies more than
    /// `exclusion` px from all before it, along one axis at least.
    pub fn peaks(&self, count: usize, exclusion: usize) -> Peaks {
        let mut peaks = Peaks::default();
        if let (Some(first), 1..) = (self.largest(), count) {
            peaks.push(first);
        }
        while (1..count.min(MAX_PEAKS)).contains(&peaks.count) {
            match self.next_peak(peaks.as_slice(), exclusion as i32) {
                Some(peak) => peaks.push(peak),
                None => break,
            }
        }
        peaks
    }

    /// The values within the reach of one row.
    fn searched(&self, dy: i32) -> &[f32] {
        let reach = self.reach as i32;
        &self.values[self.index(-reach, dy)..][..2 * self.reach + 1]
    }

    fn largest(&self) -> Option<Peak> {
        let reach = self.reach as i32;
        let mut best = Peak { value: f32::NEG_INFINITY, ..Peak::default() };
        for dy in -reach..=reach {
            // Rows are compared by their maxima, which vectorises; few rows are looked at twice.
            let value = lanes::max(self.searched(dy));
            if value > best.value {
                best = Peak { dx: 0, dy, value };
            }
        }
        let column = self.searched(best.dy).iter().position(|&value| value == best.value)?;
        Some(Peak { dx: column as i32 - reach, ..best })
    }

    fn next_peak(&self, before: &[Peak], exclusion: i32) -> Option<Peak> {
        let reach = self.reach as i32;
        let mut best = Peak { value: f32::NEG_INFINITY, ..Peak::default() };
        for dy in -reach..=reach {
            let row = self.searched(dy);
            if self.max_beside(row, dy, before, exclusion) <= best.value {
                continue;
            }
            for (&value, dx) in row.iter().zip(-reach..) {
                let free = |peak: &Peak| (peak.dx - dx).abs() > exclusion || (peak.dy - dy).abs() > exclusion;
                if value > best.value && before.iter().all(free) && self.is_local_maximum(dx, dy, value) {
                    best = Peak { dx, dy, value };
                }
            }
        }
        (best.value > f32::NEG_INFINITY).then_some(best)
    }

    /// The largest value of a row outside what the first peak excludes: a quick test.
    fn max_beside(&self, row: &[f32], dy: i32, before: &[Peak], exclusion: i32) -> f32 {
        match before.first() {
            Some(first) if (first.dy - dy).abs() <= exclusion => {
                let middle = first.dx + self.reach as i32;
                let left = (middle - exclusion).max(0) as usize;
                let right = ((middle + exclusion + 1) as usize).min(row.len());
                lanes::max(&row[..left]).max(lanes::max(&row[right..]))
            }
            _ => lanes::max(row),
        }
    }

    /// The highest unbiased value beside a peak, and beside that: what is a peak of the values as they are may lie a
    /// pixel beside that of the unbiased ones. The value is that of the map there, and stays within the reach.
    pub fn summit(&self, peak: Peak) -> Peak {
        let reach = self.reach as i32;
        let mut top = peak;
        let mut height = self.unbiased(peak.dx, peak.dy).unwrap_or(f32::NEG_INFINITY);
        // Shares differ too little from pixel to pixel for a longer way.
        for _ in 0..2 {
            let before = top;
            let weights = |axis: usize, middle: i32| [-1, 0, 1].map(|step| self.weight(axis, middle + step));
            let (across, down) = (weights(0, before.dx), weights(1, before.dy));
            for (j, dy) in down.iter().zip(before.dy - 1..) {
                for (i, dx) in across.iter().zip(before.dx - 1..) {
                    let inside = dx.abs() <= reach && dy.abs() <= reach;
                    if let Some(value) = self.at(dx, dy).filter(|value| inside && value * (i * j) > height) {
                        (top, height) = (Peak { dx, dy, value }, value * (i * j));
                    }
                }
            }
            if top == before {
                break;
            }
        }
        top
    }

    fn is_local_maximum(&self, dx: i32, dy: i32, value: f32) -> bool {
        let beside = |dx, dy| self.at(dx, dy).is_none_or(|other| other <= value);
        // Neighbours in the row first: they are at hand, and most often decide.
        beside(dx - 1, dy)
            && beside(dx + 1, dy)
            && [dy - 1, dy + 1].iter().all(|&dy| (dx - 1..=dx + 1).all(|dx| beside(dx, dy)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map_of(hills: &[(i32, i32, f32, f32)], reach: usize) -> CorrelationMap {
        let mut map = CorrelationMap::new(reach, 1);
        let radius = map.radius() as i32;
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                let hill = |&(x, y, height, width): &(i32, i32, f32, f32)| {
                    let distance = ((dx - x).pow(2) + (dy - y).pow(2)) as f32;
                    height * (-distance / (2.0 * width * width)).exp()
                };
                let index = map.index(dx, dy);
                map.values[index] = hills.iter().map(hill).sum();
            }
        }
        map
    }

    #[test]
    fn hills_are_found_in_order_of_height() {
        let map = map_of(&[(-7, 3, 0.5, 1.0), (4, -5, 0.9, 1.0), (8, 8, 0.3, 1.0)], 10);
        let peaks = map.peaks(3, 3);
        let places: Vec<(i32, i32)> = peaks.as_slice().iter().map(|peak| (peak.dx, peak.dy)).collect();
        assert_eq!(places, [(4, -5), (-7, 3), (8, 8)]);
        assert!((peaks.ratio() - 1.8).abs() < 1e-3);
    }

    #[test]
    fn the_flank_of_a_broad_peak_is_no_second_peak() {
        let map = map_of(&[(0, 0, 1.0, 5.0), (-8, -8, 0.4, 1.0)], 10);
        let peaks = map.peaks(2, 2);
        let second = peaks.as_slice()[1];
        assert_eq!((second.dx, second.dy), (-8, -8));
    }

    #[test]
    fn peaks_at_the_corner_and_maps_without_numbers() {
        let map = map_of(&[(10, -10, 1.0, 1.0)], 10);
        let first = map.peaks(2, 3).first().unwrap();
        assert_eq!((first.dx, first.dy), (10, -10));
        let mut map = CorrelationMap::new(3, 1);
        map.values.fill(f32::NAN);
        assert_eq!(map.peaks(2, 1).first(), None);
        assert!(map.peaks(2, 1).ratio().is_nan());
        assert_eq!(map.peaks(0, 1).as_slice(), []);
    }
}
