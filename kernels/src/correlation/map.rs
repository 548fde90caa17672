//! The correlation as a function of the displacement, zero in the middle.

use super::share;

/// Correlations at displacements from `-radius` to `radius` along both axes.
///
/// Peaks are searched up to `reach`; a margin around it lets a peak at the border of the search be
/// compared with its neighbours. Values are `f32`: a correlation of 8 to 16-bit counts has no more
/// than five good digits, and half the width is twice the pixels in a vector register.
///
/// Far from displacement zero fewer pixels have a partner, so that the values of a peak are lower on its outer side:
/// [`unbiased`](CorrelationMap::unbiased) undoes that. What is unbiased is noisier where few pixels overlap, and may
/// exceed 1, so that peaks are searched among the values as they are, and fitted to the unbiased ones.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrelationMap {
    pub(crate) reach: usize,
    pub(crate) radius: usize,
    pub(crate) values: Vec<f32>,
    /// Width and height of the windows that were correlated, px; none yet.
    pub(crate) window: Option<[usize; 2]>,
}

impl CorrelationMap {
    /// A map of zeros, searched up to `reach` px, with `margin` px more on each side.
    pub fn new(reach: usize, margin: usize) -> CorrelationMap {
        let radius = reach + margin;
        let values = vec![0.0; (2 * radius + 1) * (2 * radius + 1)];
        CorrelationMap { reach, radius, values, window: None }
    }

    /// The same map for another range; it allocates nothing if it was as large before.
    pub(crate) fn resize(&mut self, reach: usize, margin: usize) {
        (self.reach, self.radius) = (reach, reach + margin);
        self.values.resize(self.side() * self.side(), 0.0);
    }

    /// The largest displacement that is searched, px.
    pub fn reach(&self) -> usize {
        self.reach
    }

    /// The largest displacement for which the map has a value, px.
    pub fn radius(&self) -> usize {
        self.radius
    }

    /// Values in a row, and rows.
    pub fn side(&self) -> usize {
        2 * self.radius + 1
    }

    /// The values, row-major, the smallest displacements first.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The correlation at a displacement; none outside the map.
    pub fn at(&self, dx: i32, dy: i32) -> Option<f32> {
        let radius = self.radius as i32;
        let inside = dx.abs() <= radius && dy.abs() <= radius;
        inside.then(|| self.values[self.index(dx, dy)])
    }

    /// The correlation at a displacement over the share of pixels that have a partner there; none outside the map.
    pub fn unbiased(&self, dx: i32, dy: i32) -> Option<f32> {
        let value = self.at(dx, dy)?;
        Some(value * (self.weight(0, dx) * self.weight(1, dy)))
    }

    /// What undoes that fewer pixels have a partner at a displacement along an axis, 0 or 1.
    pub(super) fn weight(&self, axis: usize, d: i32) -> f32 {
        self.window.map_or(1.0, |window| share(d as isize, window[axis]).recip())
    }

    /// The place of a displacement inside the map.
    pub(crate) fn index(&self, dx: i32, dy: i32) -> usize {
        let radius = self.radius as i32;
        (dy + radius) as usize * self.side() + (dx + radius) as usize
    }
}
