//! A look at one window: the correlation that a vector comes from.

use super::pass::Pass;
use crate::correlation::CorrelationMap;

/// The correlation of one window in one pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Column of the window's centre, px.
    pub x: f64,
    /// Row of the window's centre, px.
    pub y: f64,
    /// The displacement in the middle of the map, px: what the pass was given by the one before.
    pub zero: [f64; 2],
    /// The correlations at displacements around that.
    pub map: CorrelationMap,
    /// Side of the windows, px.
    pub side: usize,
    /// The windows that were correlated, row by row, their means removed.
    pub windows: [Vec<f32>; 2],
}

impl Pass {
    /// Has the correlation of the window nearest to a place kept.
    pub(super) fn look_near(&mut self, place: Option<[f64; 2]>) {
        let [x, y] = self.grid.axes();
        let nearest = |at: f64, start: f64, step: f64, count: usize| {
            // Not a number is as good as the first; `as` saturates.
            (((at - start) / step).round().max(0.0) as usize).min(count.saturating_sub(1))
        };
        self.look_at = place.map(|[column, row]| {
            nearest(row, y.start, y.step, y.count) * x.count + nearest(column, x.start, x.step, x.count)
        });
    }
}
