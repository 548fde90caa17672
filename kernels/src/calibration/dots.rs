//! The dots of a target in an image: where they are, and which row and column of the target they belong to.

use std::collections::HashMap;

use crate::Image;

/// A dot of the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dot {
    /// Column and row in the target, counted from the dot nearest to the middle of the image.
    pub(super) index: [i32; 2],
    /// Its centre in the image, px.
    pub(super) place: [f64; 2],
}

/// The centres of all dots, px: patches of the rarer kind, bright or dark, of about the same size, that do not touch
/// the border.
pub(super) fn centres(image: &Image) -> Vec<[f64; 2]> {
    let (width, height) = (image.width(), image.height());
    let threshold = threshold(image.data());
    let bright = image.data().iter().filter(|&&value| value > threshold).count();
    let sign = if 2 * bright <= image.data().len() { 1.0 } else { -1.0 };
    // How far a pixel is on the side of the dots.
    let weight = |index: usize| sign * (image.data()[index] - threshold);
    let mut seen = vec![false; width * height];
    let mut patches: Vec<(usize, [f64; 2])> = Vec::new();
    let mut stack = Vec::new();
    for start in 0..width * height {
        if seen[start] || weight(start) <= 0.0 {
            continue;
        }
        let (mut area, mut sum, mut moments, mut whole) = (0, 0.0, [0.0; 2], true);
        seen[start] = true;
        stack.push(start);
        while let Some(index) = stack.pop() {
            let (x, y) = (index % width, index / width);
            let part = f64::from(weight(index));
            area += 1;
            sum += part;
            moments = [moments[0] + part * x as f64, moments[1] + part * y as f64];
            whole &= x > 0 && y > 0 && x + 1 < width && y + 1 < height;
            let beside = [
                (x > 0).then(|| index - 1),
                (x + 1 < width).then(|| index + 1),
                (y > 0).then(|| index - width),
                (y + 1 < height).then(|| index + width),
            ];
            for next in beside.into_iter().flatten().filter(|&next| weight(next) > 0.0) {
                if !std::mem::replace(&mut seen[next], true) {
                    stack.push(next);
                }
            }
        }
        if whole && area >= 4 {
            patches.push((area, moments.map(|moment| moment / sum)));
        }
    }
    let mut areas: Vec<usize> = patches.iter().map(|(area, _)| *area).collect();
    areas.sort_unstable();
    let median = areas.get(areas.len() / 2).copied().unwrap_or(0);
    let is_dot = |&(area, _): &(usize, _)| 3 * area >= median && area <= 3 * median;
    patches.into_iter().filter(is_dot).map(|(_, centre)| centre).collect()
}

/// The value that divides pixels into two kinds that differ most from each other (Otsu 1979, *IEEE Transactions on
/// Systems, Man, and Cybernetics* 9, 62-66).
fn threshold(values: &[f32]) -> f32 {
    const BINS: usize = 256;
    let range = values.iter().filter(|value| value.is_finite());
    let (low, high) = range.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    let width = (high - low) / BINS as f32;
    if width.is_nan() || width <= 0.0 {
        return low;
    }
    let mut counts = [0.0; BINS];
    values.iter().for_each(|&value| counts[(((value - low) / width) as usize).min(BINS - 1)] += 1.0);
    let total: f64 = counts.iter().sum();
    let all: f64 = counts.iter().enumerate().map(|(bin, count)| bin as f64 * count).sum();
    let (mut below, mut moment, mut best, mut found) = (0.0, 0.0, 0.0, 0);
    for (bin, count) in counts.iter().enumerate().take(BINS - 1) {
        below += count;
        moment += bin as f64 * count;
        let above = total - below;
        if below > 0.0 && above > 0.0 {
            let variance = below * above * (moment / below - (all - moment) / above).powi(2);
            if variance > best {
                (best, found) = (variance, bin);
            }
        }
    }
    low + width * (found as f32 + 1.0)
}

/// Rows and columns of dots, from the one nearest to `middle` on, neighbour by neighbour: so that the grid may be
/// turned and distorted. Dots that are no neighbours of others are left out.
pub(super) fn sort(centres: &[[f64; 2]], middle: [f64; 2]) -> Vec<Dot> {
    let squared = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    let nearest = |place: [f64; 2], not: Option<usize>| {
        let others = (0..centres.len()).filter(|index| Some(*index) != not);
        others.min_by(|&a, &b| squared(centres[a], place).total_cmp(&squared(centres[b], place)))
    };
    let Some(first) = nearest(middle, None) else { return Vec::new() };
    let origin = centres[first];
    let Some(second) = nearest(origin, Some(first)) else { return Vec::new() };
    let mut right = [centres[second][0] - origin[0], centres[second][1] - origin[1]];
    // The direction that is nearest to that of the image's rows.
    while right[0] < right[1].abs() {
        right = [-right[1], right[0]];
    }
    let mut found = HashMap::from([(first, ([0, 0], right, [-right[1], right[0]]))]);
    let mut taken = HashMap::from([([0, 0], first)]);
    let mut queue = std::collections::VecDeque::from([first]);
    while let Some(at) = queue.pop_front() {
        let (index, right, down) = found[&at];
        for (step, way) in [([1, 0], right), ([-1, 0], right), ([0, 1], down), ([0, -1], down)] {
            let sign = f64::from(step[0] + step[1]);
            let target = [centres[at][0] + sign * way[0], centres[at][1] + sign * way[1]];
            let Some(other) = nearest(target, Some(at)) else { continue };
            let far = squared(centres[other], target) > 0.0625 * (way[0] * way[0] + way[1] * way[1]);
            let place = [index[0] + step[0], index[1] + step[1]];
            if far || found.contains_key(&other) || taken.contains_key(&place) {
                continue;
            }
            let seen = [0, 1].map(|axis| sign * (centres[other][axis] - centres[at][axis]));
            let basis = if step[1] == 0 { (seen, down) } else { (right, seen) };
            found.insert(other, (place, basis.0, basis.1));
            taken.insert(place, other);
            queue.push_back(other);
        }
    }
    found.into_iter().map(|(at, (index, ..))| Dot { index, place: centres[at] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_grid_with_a_gap_keeps_its_rows_and_columns() {
        let (sin, cos) = 0.2_f64.sin_cos();
        let place = |i: i32, j: i32| {
            let (x, y) = (20.0 * f64::from(i), 20.0 * f64::from(j));
            [100.0 + cos * x - sin * y, 90.0 + sin * x + cos * y + 0.002 * x * x]
        };
        let all = (-4..=4).flat_map(|i| (-3..=3).map(move |j| (i, j)));
        let mut centres: Vec<_> = all.filter(|&index| index != (2, 1)).map(|(i, j)| place(i, j)).collect();
        centres.push([400.0, 400.0]);
        let dots = sort(&centres, [101.0, 92.0]);
        assert_eq!(dots.len(), 62, "the gap, and the patch beside the grid, are no dots");
        for dot in dots {
            assert_eq!(dot.place, place(dot.index[0], dot.index[1]));
        }
    }
}
