//! How far a pass has to search, from what the pass before left open.
//!
//! What a window is searched for is the error of the displacement that it was given. Half a window is far more than
//! that, and a wide search finds peaks of noise. The error is seen in the pass before: how far its valid vectors lie
//! from the smooth field that guides the next pass, and whether there are enough of them to tell.

use super::grid::Grid;
use crate::{field::VectorField, tps::Axis};

/// What a guess in whole pixels, a gradient across the window, and the next pass's own noise need, px.
const LEAST: f64 = 3.0;
/// Search so many times as far as the largest residual nearby.
const FACTOR: f64 = 2.0;

/// For each window of the next pass the displacement along an axis to be searched, px. `smooth` is what guides the next
/// pass, on the grid of the field. Where fewer than half of the vectors around are valid, the search is unlimited.
pub(super) fn reaches(
    field: &VectorField,
    smooth: &[[f64; 2]],
    grid: &Grid,
    next: &Grid,
    found: &mut Vec<usize>,
) {
    let wanted: Vec<usize> = (0..field.vectors.len()).map(|index| around(field, smooth, index)).collect();
    let [nodes_x, nodes_y] = grid.axes();
    let [x, y] = next.axes();
    let columns: Vec<usize> = nearest(x, nodes_x).collect();
    found.clear();
    for row in nearest(y, nodes_y) {
        found.extend(columns.iter().map(|column| wanted[row * nodes_x.count + column]));
    }
}

/// The node nearest to each place.
fn nearest(places: Axis, nodes: Axis) -> impl Iterator<Item = usize> {
    (0..places.count).map(move |index| {
        let at = (places.start + index as f64 * places.step - nodes.start) / nodes.step;
        (at.round().max(0.0) as usize).min(nodes.count - 1)
    })
}

/// What the vector of an index and its neighbours ask for.
fn around(field: &VectorField, smooth: &[[f64; 2]], index: usize) -> usize {
    let (mut all, mut valid, mut most) = (0, 0, 0.0_f64);
    for index in field.around(index, 1).chain([index]) {
        let vector = &field.vectors[index];
        all += 1;
        if vector.flags.is_valid() {
            valid += 1;
            let [dx, dy] = [vector.dx - smooth[index][0], vector.dy - smooth[index][1]];
            most = most.max(dx.abs()).max(dy.abs());
        }
    }
    if 2 * valid < all { usize::MAX } else { (LEAST + FACTOR * most).ceil() as usize }
}
