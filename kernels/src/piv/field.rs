//! What comes out: one vector for each window, none thrown away.

use std::ops::{BitOr, BitOrAssign};

/// What is wrong with a vector: a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// The correlation is below `correl_min`.
    pub const LOW_CORRELATION: Flags = Flags(1);
    /// No peak could be fitted; the displacement is that of the whole pixel.
    pub const SUBPIXEL_FAILED: Flags = Flags(2);
    /// The vector is far from the median of its neighbours.
    pub const NEIGHBOUR_OUTLIER: Flags = Flags(4);
    /// A window has one value throughout.
    pub const NO_SIGNAL: Flags = Flags(8);
    /// The peak lies at the border of the range searched.
    pub const PEAK_AT_BORDER: Flags = Flags(16);

    /// Whether nothing is wrong.
    pub fn is_valid(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` is in the set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of what is wrong.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (Flags::LOW_CORRELATION, "low_correlation"),
            (Flags::SUBPIXEL_FAILED, "subpixel_failed"),
            (Flags::NEIGHBOUR_OUTLIER, "neighbour_outlier"),
            (Flags::NO_SIGNAL, "no_signal"),
            (Flags::PEAK_AT_BORDER, "peak_at_border"),
        ];
        all.into_iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| name).collect()
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

/// How far the pattern of one window has moved from the first image to the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vector {
    /// Column of the window's centre, px; the centre of the leftmost pixel is at 0.
    pub x: f64,
    /// Row of the window's centre, px, downwards.
    pub y: f64,
    /// Displacement to the right, px.
    pub dx: f64,
    /// Displacement downwards, px.
    pub dy: f64,
    /// Normalised correlation at the peak, at most about 1.
    pub correlation: f64,
    /// What is wrong with it.
    pub flags: Flags,
}

/// The vectors of a couple of images, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorField {
    /// Windows in a row.
    pub nx: usize,
    /// Rows of windows.
    pub ny: usize,
    /// `nx * ny` vectors, row-major.
    pub vectors: Vec<Vector>,
}

impl VectorField {
    /// The share of vectors with nothing wrong, 0 to 1.
    pub fn share_valid(&self) -> f64 {
        let valid = self.vectors.iter().filter(|vector| vector.flags.is_valid()).count();
        valid as f64 / self.vectors.len().max(1) as f64
    }

    /// The vector of a column and a row of windows.
    pub fn get(&self, ix: usize, iy: usize) -> Option<&Vector> {
        if ix < self.nx { self.vectors.get(iy * self.nx + ix) } else { None }
    }

    /// Flags each vector that is farther than `threshold` px from the median of its neighbours.
    pub(crate) fn flag_outliers(&mut self, threshold: f64) {
        let outlier = |index: usize| {
            let (ix, iy) = ((index % self.nx) as isize, (index / self.nx) as isize);
            let around = (-1..=1).flat_map(|j| (-1..=1).map(move |i| (ix + i, iy + j)));
            let neighbours: Vec<&Vector> = around
                .filter(|&at| at != (ix, iy) && at.0 >= 0 && at.1 >= 0)
                .filter_map(|(i, j)| self.get(i as usize, j as usize))
                .filter(|vector| vector.flags.is_valid())
                .collect();
            let median = |component: fn(&Vector) -> f64| {
                let mut values: Vec<f64> = neighbours.iter().map(|vector| component(vector)).collect();
                values.sort_by(f64::total_cmp);
                values.get(values.len() / 2).copied()
            };
            let vector = &self.vectors[index];
            match (median(|v| v.dx), median(|v| v.dy)) {
                (Some(dx), Some(dy)) => (vector.dx - dx).hypot(vector.dy - dy) > threshold,
                _ => false,
            }
        };
        let outliers: Vec<usize> = (0..self.vectors.len()).filter(|&index| outlier(index)).collect();
        for index in outliers {
            self.vectors[index].flags |= Flags::NEIGHBOUR_OUTLIER;
        }
    }
}
