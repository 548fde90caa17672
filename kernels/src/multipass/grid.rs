//! Where the windows of a pass are.

use super::params::{PassParams, Region};
use crate::{PivError, tps::Axis};

/// The windows of one pass, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    /// Columns and rows of a window.
    pub(super) window: [usize; 2],
    /// Columns and rows from window to window.
    step: [usize; 2],
    /// Column and row of the first window's first pixel.
    first: [usize; 2],
    pub(super) nx: usize,
    pub(super) ny: usize,
}

impl Grid {
    /// As many windows as fit into the region, from its upper left corner on.
    pub(super) fn new(pass: &PassParams, region: Region) -> Result<Grid, PivError> {
        let (window, step) = (pass.window_size(), pass.steps());
        let size = [region.width, region.height];
        for axis in [0, 1] {
            if size[axis] < window[axis] {
                return Err(PivError::TooSmall {
                    window: window[axis],
                    found: (region.width, region.height),
                });
            }
        }
        let [nx, ny] = [0, 1].map(|axis| (size[axis] - window[axis]) / step[axis] + 1);
        Ok(Grid { window, step, first: [region.left, region.top], nx, ny })
    }

    pub(super) fn len(&self) -> usize {
        self.nx * self.ny
    }

    /// Column and row of the first pixel of a window.
    pub(super) fn corner(&self, index: usize) -> [usize; 2] {
        [self.first[0] + index % self.nx * self.step[0], self.first[1] + index / self.nx * self.step[1]]
    }

    /// The centres of windows along x and y, px. Pixel centres are whole numbers: the centre is between
    /// those of the first and of the last pixel.
    pub(super) fn axes(&self) -> [Axis; 2] {
        let counts = [self.nx, self.ny];
        [0, 1].map(|axis| {
            let half = (self.window[axis] as f64 - 1.0) / 2.0;
            Axis { start: self.first[axis] as f64 + half, step: self.step[axis] as f64, count: counts[axis] }
        })
    }

    /// How displacements change from window to window: `[[du/dx, dv/dx], [du/dy, dv/dy]]`, px per px.
    pub(super) fn gradient(&self, values: &[[f64; 2]], index: usize) -> [[f64; 2]; 2] {
        let slope = |position: usize, count: usize, stride: usize, step: usize| {
            let (before, after) = (position.min(1), usize::from(position + 1 < count));
            let span = ((before + after) * step).max(1) as f64;
            let (low, high) = (values[index - before * stride], values[index + after * stride]);
            [0, 1].map(|component| (high[component] - low[component]) / span)
        };
        let [across, down] = self.step;
        [slope(index % self.nx, self.nx, 1, across), slope(index / self.nx, self.ny, self.nx, down)]
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
