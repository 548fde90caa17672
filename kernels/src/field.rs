//! What comes out: one vector for each window, none thrown away.

use std::ops::{BitOr, BitOrAssign};

/// What is wrong with a vector, and what was done about it: a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u16);

impl Flags {
    /// The correlation is below `correl_min`.
    pub const LOW_CORRELATION: Flags = Flags(1);
    /// The samples are no peak that could be fitted; the displacement is that of the whole pixel.
    pub const SUBPIXEL_FAILED: Flags = Flags(2);
    /// The vector is far from the median of its neighbours.
    pub const NEIGHBOUR_OUTLIER: Flags = Flags(4);
    /// A window has one value throughout.
    pub const NO_SIGNAL: Flags = Flags(8);
    /// The peak lies at the border of the range searched.
    pub const PEAK_AT_BORDER: Flags = Flags(16);
    /// The second peak is nearly as high as the first.
    pub const LOW_PEAK_RATIO: Flags = Flags(32);
    /// The displacement is larger than allowed.
    pub const TOO_LARGE: Flags = Flags(64);
    /// The normalised median test failed.
    pub const MEDIAN_OUTLIER: Flags = Flags(128);
    /// The vector is far from the thin-plate spline through the field.
    pub const SPLINE_OUTLIER: Flags = Flags(256);
    /// The window is masked, wholly or for the most part: there is no displacement, and NaN in its place.
    pub const MASKED: Flags = Flags(512);
    /// A lower peak agreed with the neighbours and took the place of the highest: the vector is measured.
    pub const OTHER_PEAK: Flags = Flags(1024);
    /// What was measured was wrong, or nothing could be, and the vector is interpolated from its neighbours.
    pub const REPLACED: Flags = Flags(2048);
    /// The peak was too narrow for the fit that was asked for, and its centroid was taken along an axis: the vector is
    /// measured, if not as well as others.
    pub const SUBPIXEL_FALLBACK: Flags = Flags(4096);
    /// Too few of the vectors around are valid to tell whether this one is, and its correlation does not prove it.
    pub const UNSUPPORTED: Flags = Flags(8192);

    /// Every flag with its name.
    pub const ALL: [(Flags, &'static str); 14] = [
        (Flags::LOW_CORRELATION, "low_correlation"),
        (Flags::SUBPIXEL_FAILED, "subpixel_failed"),
        (Flags::NEIGHBOUR_OUTLIER, "neighbour_outlier"),
        (Flags::NO_SIGNAL, "no_signal"),
        (Flags::PEAK_AT_BORDER, "peak_at_border"),
        (Flags::LOW_PEAK_RATIO, "low_peak_ratio"),
        (Flags::TOO_LARGE, "too_large"),
        (Flags::MEDIAN_OUTLIER, "median_outlier"),
        (Flags::SPLINE_OUTLIER, "spline_outlier"),
        (Flags::MASKED, "masked"),
        (Flags::OTHER_PEAK, "other_peak"),
        (Flags::REPLACED, "replaced"),
        (Flags::SUBPIXEL_FALLBACK, "subpixel_fallback"),
        (Flags::UNSUPPORTED, "unsupported"),
    ];

    /// Whether the vector is measured and nothing is wrong with it.
    pub fn is_valid(self) -> bool {
        self.0 & !(Flags::OTHER_PEAK.0 | Flags::SUBPIXEL_FALLBACK.0) == 0
    }

    /// The set without what is in another one.
    pub fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Whether a flag of `other` is in the set.
    pub fn intersects(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all of `other` is in the set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set as a number, one bit a flag, as result files hold it.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The set of a number; bits without a meaning are dropped.
    pub fn from_bits(bits: u16) -> Flags {
        Flags(bits & Flags::ALL.iter().fold(0, |all, (flag, _)| all | flag.0))
    }

    /// The names of what is in the set.
    pub fn names(self) -> Vec<&'static str> {
        Flags::ALL.into_iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| name).collect()
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
    /// Displacement to the right, px; NaN if the window is masked.
    pub dx: f64,
    /// Displacement downwards, px; NaN if the window is masked.
    pub dy: f64,
    /// Normalised correlation at the peak of the pixels that have a partner there, -1 to 1.
    pub correlation: f64,
    /// Height of the highest peak over that of the second; NaN if no second peak was searched.
    pub peak_ratio: f64,
    /// What is wrong with it.
    pub flags: Flags,
}

/// The vectors of a couple of images, row by row.
#[derive(Debug, Clone, PartialEq, Default)]
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

    /// The distance between neighbouring windows, px; infinite in a field of one vector.
    pub(crate) fn step(&self) -> f64 {
        let far = |vector: Option<&Vector>| {
            let (first, other) = (self.vectors.first()?, vector?);
            Some((other.x - first.x).hypot(other.y - first.y))
        };
        let beside = if self.nx > 1 { self.vectors.get(1) } else { self.vectors.get(self.nx) };
        far(beside).filter(|&step| step > 0.0).unwrap_or(f64::INFINITY)
    }

    /// The indices of the vectors at most `radius` columns and rows from one, without itself.
    pub(crate) fn around(&self, index: usize, radius: usize) -> impl Iterator<Item = usize> + use<> {
        let (nx, ix, iy) = (self.nx, index % self.nx, index / self.nx);
        let columns = ix.saturating_sub(radius)..(ix + radius + 1).min(self.nx);
        let rows = iy.saturating_sub(radius)..(iy + radius + 1).min(self.ny);
        rows.flat_map(move |j| columns.clone().map(move |i| j * nx + i)).filter(move |&other| other != index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_survive_as_numbers_and_have_names() {
        let flags = Flags::MASKED | Flags::LOW_PEAK_RATIO;
        assert_eq!(Flags::from_bits(flags.bits()), flags);
        assert_eq!(Flags::from_bits(1 << 15), Flags::default());
        assert_eq!(flags.names(), ["low_peak_ratio", "masked"]);
        assert!(Flags::OTHER_PEAK.is_valid() && !(Flags::OTHER_PEAK | Flags::REPLACED).is_valid());
        assert!(Flags::SUBPIXEL_FALLBACK.is_valid());
    }

    #[test]
    fn neighbours_at_a_corner_and_in_the_middle() {
        let field = VectorField { nx: 3, ny: 3, vectors: Vec::new() };
        assert_eq!(field.around(0, 1).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(field.around(4, 1).count(), 8);
        assert_eq!(field.around(4, 5).count(), 8);
    }
}
