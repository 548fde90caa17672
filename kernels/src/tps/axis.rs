//! How one axis of a grid is cut into overlapping tiles.

use std::ops::Range;

/// A run of nodes, all tiles of an axis being equally long, and the targets that it serves.
pub(super) struct Tile {
    /// The first node.
    pub(super) start: usize,
    /// The targets inside.
    pub(super) targets: Range<usize>,
    /// The tile's share in each of these targets; shares of all tiles sum up to 1.
    pub(super) weights: Vec<f64>,
}

/// Tiles of at most `length` nodes of `count`, 3 or more unless there are fewer, which overlap by a third of their length or more.
/// `targets` are in units of nodes, in ascending order, and may lie outside.
pub(super) fn tiles(count: usize, length: usize, targets: &[f64]) -> Vec<Tile> {
    let length = length.min(count);
    // Tiles that share one node only would both have no say there.
    let fresh = length.saturating_sub((length / 3).max(2)).max(1);
    let tiles = 1 + (count - length).div_ceil(fresh);
    let starts: Vec<usize> =
        (0..tiles).map(|tile| if tiles == 1 { 0 } else { tile * (count - length) / (tiles - 1) }).collect();
    // A tile's say rises from zero at its ends inwards, over the overlap; the grid's ends are no tile's ends.
    let say = |tile: usize, target: f64| {
        let (start, end) = (starts[tile] as f64, (starts[tile] + length - 1) as f64);
        let ramp = |inside: f64, overlap: f64| (inside / overlap.max(1e-9)).clamp(0.0, 1.0);
        let left = match tile.checked_sub(1) {
            Some(before) => ramp(target - start, (starts[before] + length - 1) as f64 - start),
            None => 1.0,
        };
        let right = match starts.get(tile + 1) {
            Some(&after) => ramp(end - target, end - after as f64),
            None => 1.0,
        };
        left * right
    };
    let total: Vec<f64> =
        targets.iter().map(|&target| (0..tiles).map(|tile| say(tile, target)).sum()).collect();
    (0..tiles)
        .map(|tile| {
            let concerned = |&index: &usize| say(tile, targets[index]) > 0.0;
            let first = (0..targets.len()).find(concerned).unwrap_or(0);
            let end = (0..targets.len()).rev().find(concerned).map_or(first, |last| last + 1);
            let weights = (first..end).map(|index| say(tile, targets[index]) / total[index]).collect();
            Tile { start: starts[tile], targets: first..end, weights }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_served_with_shares_that_sum_up_to_one() {
        for (count, length) in
            [(5, 14), (14, 14), (15, 14), (24, 14), (63, 14), (100, 9), (7, 4), (9, 3), (3, 3), (2, 2)]
        {
            let targets: Vec<f64> = (0..2 * count + 3).map(|i| 0.5 * i as f64 - 0.9).collect();
            let tiles = tiles(count, length, &targets);
            let mut total = vec![0.0; targets.len()];
            for tile in &tiles {
                assert!(tile.start + length.min(count) <= count);
                for (target, weight) in tile.targets.clone().zip(&tile.weights) {
                    total[target] += weight;
                }
            }
            assert!(total.iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{count} {length}: {total:?}");
        }
    }
}
