//! The sum over the pixels, for each displacement.

use super::{Couple, map::CorrelationMap};
use crate::lanes::dot;

pub(super) struct Direct {
    window: usize,
}

impl Direct {
    pub(super) fn new(window: usize) -> Direct {
        Direct { window }
    }

    pub(super) fn correlate(&mut self, couple: Couple<'_>, map: &mut CorrelationMap) {
        let n = self.window;
        assert!(couple.first.len() == n * n && couple.second.len() == n * n, "windows of another size");
        let radius = map.radius() as isize;
        let side = map.side();
        map.window = Some([n; 2]);
        let scale = couple.norms.map(f32::recip).iter().product::<f32>();
        for (row, dy) in map.values.chunks_exact_mut(side).zip(-radius..) {
            for (value, dx) in row.iter_mut().zip(-radius..) {
                let inside = dx.unsigned_abs() < n && dy.unsigned_abs() < n;
                *value = if inside { self.sum(couple, dx, dy) * scale } else { 0.0 };
            }
        }
    }

    /// Where the windows overlap after a shift of the second by `(-dx, -dy)`.
    fn sum(&self, couple: Couple<'_>, dx: isize, dy: isize) -> f32 {
        let n = self.window;
        let start = |d: isize| (-d).max(0) as usize;
        let columns = n - dx.unsigned_abs();
        (start(dy)..start(dy) + n - dy.unsigned_abs())
            .map(|y| {
                let first = y * n + start(dx);
                let second = y.wrapping_add_signed(dy) * n + start(-dx);
                dot(&couple.first[first..first + columns], &couple.second[second..second + columns])
            })
            .sum()
    }
}
