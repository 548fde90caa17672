//! Statistics of many fields on one grid, in the memory of one.

use crate::{Flags, PivError, Vector, VectorField};

/// The mean, the fluctuations and the Reynolds stresses of a series of fields, vector by vector.
///
/// Means and sums of squared deviations are carried from field to field (Welford 1962, *Technometrics* 4, 419-420), so
/// that small fluctuations of a large mean keep their digits. Only valid vectors count.
///
/// ```
/// use terzetto_kernels::{Flags, Vector, VectorField, fields::FieldStatistics};
/// let field = |dx: f64| {
///     let vector = Vector { x: 0.0, y: 0.0, dx, dy: -dx, correlation: 1.0, peak_ratio: 2.0, flags: Flags::default() };
///     VectorField { nx: 1, ny: 1, vectors: vec![vector] }
/// };
/// let mut statistics = FieldStatistics::new();
/// for dx in [1.0, 2.0, 3.0] {
///     statistics.add(&field(dx))?;
/// }
/// let node = statistics.nodes().next().ok_or("no vector")?;
/// assert_eq!((node.mean_dx, node.count), (2.0, 3));
/// assert!((node.stress_xx - 2.0 / 3.0).abs() < 1e-12 && (node.stress_xy + 2.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FieldStatistics {
    grid: Option<(usize, usize)>,
    sums: Vec<Sums>,
    fields: u64,
}

#[derive(Debug, Clone)]
struct Sums {
    x: f64,
    y: f64,
    count: u64,
    mean: [f64; 2],
    /// Squares of the deviations along x, along y, and their product.
    deviations: [f64; 3],
    masked: u64,
}

/// What a place of the grid has seen. Without a valid vector all but the place and the count is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeStatistics {
    /// Column of the window's centre, px.
    pub x: f64,
    /// Row of the window's centre, px.
    pub y: f64,
    /// How many valid vectors there were.
    pub count: u64,
    /// Mean displacement to the right, px.
    pub mean_dx: f64,
    /// Mean displacement downwards, px.
    pub mean_dy: f64,
    /// Reynolds stress: the mean of the squared fluctuation to the right, px².
    pub stress_xx: f64,
    /// The same downwards, px².
    pub stress_yy: f64,
    /// The mean of the product of both fluctuations, px²; downwards is positive.
    pub stress_xy: f64,
}

impl NodeStatistics {
    /// The root of the mean squared fluctuation to the right, px.
    pub fn rms_dx(&self) -> f64 {
        self.stress_xx.sqrt()
    }

    /// The root of the mean squared fluctuation downwards, px.
    pub fn rms_dy(&self) -> f64 {
        self.stress_yy.sqrt()
    }

    /// The kinetic energy of the fluctuations in the plane, px².
    pub fn kinetic_energy(&self) -> f64 {
        0.5 * (self.stress_xx + self.stress_yy)
    }
}

impl FieldStatistics {
    /// Statistics of no field yet; the first one sets the grid.
    pub fn new() -> FieldStatistics {
        FieldStatistics::default()
    }

    /// Adds a field.
    ///
    /// # Errors
    /// [`PivError::Grid`] if its grid is not that of the first field; nothing is added then.
    pub fn add(&mut self, field: &VectorField) -> Result<(), PivError> {
        let found = (field.nx, field.ny);
        let expected = *self.grid.get_or_insert(found);
        if found != expected || field.vectors.len() != found.0 * found.1 {
            return Err(PivError::Grid { expected, found });
        }
        if self.sums.is_empty() {
            let empty = |vector: &Vector| Sums {
                x: vector.x,
                y: vector.y,
                count: 0,
                mean: [0.0; 2],
                deviations: [0.0; 3],
                masked: 0,
            };
            self.sums = field.vectors.iter().map(empty).collect();
        }
        self.fields += 1;
        for (sums, vector) in self.sums.iter_mut().zip(&field.vectors) {
            sums.masked += u64::from(vector.flags.contains(Flags::MASKED));
            if vector.flags.is_valid() {
                sums.add([vector.dx, vector.dy]);
            }
        }
        Ok(())
    }

    /// How many fields have been added.
    pub fn fields(&self) -> u64 {
        self.fields
    }

    /// Columns and rows of the grid; none before the first field.
    pub fn grid(&self) -> Option<(usize, usize)> {
        self.grid
    }

    /// The statistics at each place, row by row.
    pub fn nodes(&self) -> impl Iterator<Item = NodeStatistics> + '_ {
        self.sums.iter().map(|sums| {
            let known = |value: f64| if sums.count == 0 { f64::NAN } else { value };
            let stress = |index: usize| known(sums.deviations[index] / sums.count as f64);
            NodeStatistics {
                x: sums.x,
                y: sums.y,
                count: sums.count,
                mean_dx: known(sums.mean[0]),
                mean_dy: known(sums.mean[1]),
                stress_xx: stress(0),
                stress_yy: stress(1),
                stress_xy: stress(2),
            }
        })
    }

    /// The mean field: places without a valid vector are masked, if they were in every field, or have no signal.
    pub fn mean(&self) -> VectorField {
        let (nx, ny) = self.grid.unwrap_or_default();
        let vectors = self.nodes().zip(&self.sums).map(|(node, sums)| Vector {
            x: node.x,
            y: node.y,
            dx: node.mean_dx,
            dy: node.mean_dy,
            correlation: f64::NAN,
            peak_ratio: f64::NAN,
            flags: match node.count {
                0 if sums.masked == self.fields => Flags::MASKED,
                0 => Flags::NO_SIGNAL,
                _ => Flags::default(),
            },
        });
        VectorField { nx, ny, vectors: vectors.collect() }
    }
}

impl Sums {
    fn add(&mut self, value: [f64; 2]) {
        self.count += 1;
        let before = [value[0] - self.mean[0], value[1] - self.mean[1]];
        for (mean, deviation) in self.mean.iter_mut().zip(before) {
            *mean += deviation / self.count as f64;
        }
        let after = [value[0] - self.mean[0], value[1] - self.mean[1]];
        for (sum, (i, j)) in self.deviations.iter_mut().zip([(0, 0), (1, 1), (0, 1)]) {
            *sum += before[i] * after[j];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(values: &[[f64; 2]]) -> VectorField {
        let vector = |(index, &[dx, dy]): (usize, &[f64; 2])| {
            let flags = if dx.is_nan() { Flags::MASKED } else { Flags::default() };
            Vector { x: index as f64, y: 0.0, dx, dy, correlation: 1.0, peak_ratio: 2.0, flags }
        };
        VectorField { nx: values.len(), ny: 1, vectors: values.iter().enumerate().map(vector).collect() }
    }

    #[test]
    fn stresses_are_those_of_the_definition_also_far_from_zero() {
        let mut rng = fastrand::Rng::with_seed(5);
        let values: Vec<[f64; 2]> = (0..500)
            .map(|_| {
                let (a, b) = (rng.f64() - 0.5, rng.f64() - 0.5);
                [1e6 + a, 0.4 * a + 0.2 * b]
            })
            .collect();
        let mut statistics = FieldStatistics::new();
        values.iter().for_each(|value| statistics.add(&field(&[*value])).unwrap());
        let count = values.len() as f64;
        let mean =
            [0, 1].map(|i| values.iter().map(|value| value[i] - 1e6 * (1 - i) as f64).sum::<f64>() / count);
        let deviation = |value: &[f64; 2], i: usize| value[i] - 1e6 * (1 - i) as f64 - mean[i];
        let stress =
            |i, j| values.iter().map(|value| deviation(value, i) * deviation(value, j)).sum::<f64>() / count;
        let node = statistics.nodes().next().unwrap();
        for (found, wanted) in
            [(node.stress_xx, stress(0, 0)), (node.stress_yy, stress(1, 1)), (node.stress_xy, stress(0, 1))]
        {
            assert!((found - wanted).abs() < 1e-8 * wanted.abs().max(1.0), "{found} {wanted}");
        }
        assert!((node.rms_dx().powi(2) + node.rms_dy().powi(2) - 2.0 * node.kinetic_energy()).abs() < 1e-12);
    }

    #[test]
    fn only_valid_vectors_count_and_other_grids_are_refused() {
        let mut statistics = FieldStatistics::new();
        let mut one = field(&[[1.0, 2.0], [f64::NAN, f64::NAN], [5.0, 5.0]]);
        one.vectors[2].flags = Flags::MEDIAN_OUTLIER | Flags::REPLACED;
        statistics.add(&one).unwrap();
        statistics.add(&field(&[[3.0, 4.0], [f64::NAN, f64::NAN], [7.0, 7.0]])).unwrap();
        assert!(statistics.add(&field(&[[3.0, 4.0]])).is_err());
        assert_eq!((statistics.fields(), statistics.grid()), (2, Some((3, 1))));
        let mean = statistics.mean();
        assert_eq!((mean.vectors[0].dx, mean.vectors[0].dy), (2.0, 3.0));
        assert_eq!(mean.vectors[1].flags, Flags::MASKED);
        assert_eq!((mean.vectors[2].dx, mean.vectors[2].flags), (7.0, Flags::default()));
    }
}
