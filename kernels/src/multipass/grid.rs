//! Where the windows of a pass are.

use super::params::{PassParams, Region};
use crate::{PivError, tps::Axis};

/// The windows of one pass, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub(super) window: usize,
    pub(super) step: usize,
    /// Column and row of the first window's first pixel.
    first: [usize; 2],
    pub(super) nx: usize,
    pub(super) ny: usize,
}

impl Grid {
    /// As many windows as fit into the region, from its upper left corner on.
    pub(super) fn new(pass: &PassParams, region: Region) -> Result<Grid, PivError> {
        let (window, step) = (pass.window, pass.step());
        if region.width < window || region.height < window {
            return Err(PivError::TooSmall { window, found: (region.width, region.height) });
        }
        let count = |length: usize| (length - window) / step + 1;
        let (nx, ny) = (count(region.width), count(region.height));
        Ok(Grid { window, step, first: [region.left, region.top], nx, ny })
    }

    pub(super) fn len(&self) -> usize {
        self.nx * self.ny
    }

    /// Column and row of the first pixel of a window.
    pub(super) fn corner(&self, index: usize) -> [usize; 2] {
        [self.first[0] + index % self.nx * self.step, self.first[1] + index / self.nx * self.step]
    }

    /// The centres of windows along x and y, px. Pixel centres are whole numbers: the centre is between
    /// those of the first and of the last pixel.
    pub(super) fn axes(&self) -> [Axis; 2] {
        let half = (self.window as f64 - 1.0) / 2.0;
        let axis = |first: usize, count| Axis { start: first as f64 + half, step: self.step as f64, count };
        [axis(self.first[0], self.nx), axis(self.first[1], self.ny)]
    }

    /// How displacements change from window to window: `[[du/dx, dv/dx], [du/dy, dv/dy]]`, px per px.
    pub(super) fn gradient(&self, values: &[[f64; 2]], index: usize) -> [[f64; 2]; 2] {
        let slope = |position: usize, count: usize, stride: usize| {
            let (before, after) = (position.min(1), usize::from(position + 1 < count));
            let span = ((before + after) * self.step).max(1) as f64;
            let (low, high) = (values[index - before * stride], values[index + after * stride]);
            [0, 1].map(|component| (high[component] - low[component]) / span)
        };
        [slope(index % self.nx, self.nx, 1), slope(index / self.nx, self.ny, self.nx)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres_lie_between_pixels_of_even_windows() {
        let pass = PassParams { window: 8, overlap: 0.5, ..PassParams::default() };
        let grid = Grid::new(&pass, Region { left: 2, top: 1, width: 17, height: 8 }).unwrap();
        assert_eq!((grid.nx, grid.ny, grid.len()), (3, 1, 3));
        assert_eq!(grid.corner(1), [6, 1]);
        assert_eq!(grid.axes()[0], Axis { start: 5.5, step: 4.0, count: 3 });
        let slopes = grid.gradient(&[[0.0, 0.0], [1.0, 4.0], [6.0, 8.0]], 1);
        assert_eq!(slopes, [[0.75, 1.0], [0.0, 0.0]]);
        assert!(Grid::new(&pass, Region { left: 0, top: 0, width: 7, height: 9 }).is_err());
    }
}
