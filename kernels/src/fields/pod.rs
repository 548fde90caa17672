//! Proper orthogonal decomposition of a series: the few patterns that carry most of its fluctuations.
//!
//! The modes are those of Sirovich 1987 (*Quarterly of Applied Mathematics* 45, 561-571), which need all fields at
//! once. Here fields come in blocks, and only the leading modes are kept between them: the sequential Karhunen-Loève
//! transform with a mean that moves (Levy and Lindenbaum 2000, *IEEE Transactions on Image Processing* 9, 1371-1374;
//! Ross, Lim, Lin and Yang 2008, *International Journal of Computer Vision* 77, 125-141). So the memory is that of some
//! modes, however long the series is. What is dropped between blocks is less than the modes that are kept; more are
//! kept than are asked for.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::{Flags, PivError, Vector, VectorField};

/// Gathers the modes of a series, field by field.
///
/// ```
/// use terzetto_kernels::{Flags, Vector, VectorField, fields::Pod};
/// // One pattern, which swings around a mean of 1.
/// let field = |t: f64| {
///     let vector = |x: f64| {
///         let dx = 1.0 + t.sin() * x;
///         Vector { x, y: 0.0, dx, dy: 0.0, correlation: 1.0, peak_ratio: 2.0, flags: Flags::default() }
///     };
///     VectorField { nx: 3, ny: 1, vectors: [-1.0, 0.0, 1.0].map(vector).to_vec() }
/// };
/// let mut pod = Pod::new(2)?;
/// for t in 0..40 {
///     pod.add(&field(0.3 * f64::from(t)))?;
/// }
/// let modes = pod.finish();
/// assert!(modes[0].share > 0.999 && modes[0].field.vectors[1].dx.abs() < 1e-9);
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pod {
    wanted: usize,
    grid: Option<(usize, usize)>,
    /// Places and masks of the vectors.
    places: Vec<Vector>,
    mean: Vec<f64>,
    fields: u64,
    /// The sum of the squared deviations from the mean, over all components.
    energy: f64,
    /// Modes, each as long as the root of the sum of its squares.
    modes: Vec<Vec<f64>>,
    /// Fields that are not in the modes yet.
    block: Vec<Vec<f64>>,
}

/// A mode of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    /// The pattern, of unit length: the sum of the squares of all components is 1. Masked places are NaN.
    pub field: VectorField,
    /// The mean square of its coefficient, px².
    pub energy: f64,
    /// Its share of the energy of all fluctuations, 0 to 1.
    pub share: f64,
}

/// So many times the modes that are asked for are kept between blocks, and a block has so many fields.
const KEPT: usize = 3;

impl Pod {
    /// No field yet; `modes` is how many modes are wanted.
    ///
    /// # Errors
    /// [`PivError::Parameter`] if `modes` is not from 1 to 200.
    pub fn new(modes: usize) -> Result<Pod, PivError> {
        PivError::check((1..=200).contains(&modes), "modes", modes, "1 to 200")?;
        Ok(Pod {
            wanted: modes,
            grid: None,
            places: Vec::new(),
            mean: Vec::new(),
            fields: 0,
            energy: 0.0,
            modes: Vec::new(),
            block: Vec::new(),
        })
    }

    /// Adds a field. Vectors that were replaced count as what they were replaced by; where there is no number, the mean
    /// of the fields before is taken.
    ///
    /// # Errors
    /// [`PivError::Grid`] if its grid is not that of the first field; nothing is added then.
    pub fn add(&mut self, field: &VectorField) -> Result<(), PivError> {
        let found = (field.nx, field.ny);
        let expected = *self.grid.get_or_insert(found);
        if found != expected || field.vectors.len() != found.0 * found.1 {
            return Err(PivError::Grid { expected, found });
        }
        if self.places.is_empty() {
            self.places = field.vectors.clone();
            self.mean = vec![0.0; 2 * field.vectors.len()];
        }
        for (place, vector) in self.places.iter_mut().zip(&field.vectors) {
            // What is masked in one field only is no wall.
            if !vector.flags.contains(Flags::MASKED) {
                place.flags = Flags::default();
            }
        }
        self.fields += 1;
        let count = self.fields as f64;
        let components = field.vectors.iter().flat_map(|vector| [vector.dx, vector.dy]);
        let values: Vec<f64> = components
            .zip(&mut self.mean)
            .map(|(value, mean)| {
                let value = if value.is_finite() { value } else { *mean };
                let before = value - *mean;
                *mean += before / count;
                self.energy += before * (value - *mean);
                value
            })
            .collect();
        self.block.push(values);
        if self.block.len() == KEPT * self.wanted {
            self.merge();
        }
        Ok(())
    }

    /// How many fields have been added.
    pub fn fields(&self) -> u64 {
        self.fields
    }

    /// Merges the block into the modes.
    fn merge(&mut self) {
        let count = self.block.len() as f64;
        let before = self.fields as f64 - count;
        if count == 0.0 {
            return;
        }
        let mut columns = std::mem::take(&mut self.modes);
        let mut block = std::mem::take(&mut self.block);
        // The mean of the block, and that of all fields before, which follows from it and the mean of all.
        let length = self.mean.len();
        let of_block: Vec<f64> =
            (0..length).map(|index| block.iter().map(|field| field[index]).sum::<f64>() / count).collect();
        for field in &mut block {
            field.iter_mut().zip(&of_block).for_each(|(value, mean)| *value -= mean);
        }
        columns.append(&mut block);
        if before > 0.0 {
            // The difference of both means is a fluctuation, too: of all fields before against all of the block.
            let weight = (before * count / self.fields as f64).sqrt() * self.fields as f64 / before;
            columns
                .push(of_block.iter().zip(&self.mean).map(|(block, all)| weight * (block - all)).collect());
        }
        self.modes = leading(&columns, KEPT * self.wanted);
    }

    /// The modes, those of most energy first; fewer than were asked for if the series has not as many.
    pub fn finish(mut self) -> Vec<Mode> {
        self.merge();
        let (nx, ny) = self.grid.unwrap_or_default();
        let fields = self.fields.max(1) as f64;
        let mut modes = Vec::new();
        for column in self.modes.iter().take(self.wanted) {
            let squares: f64 = column.iter().map(|value| value * value).sum();
            if squares <= 1e-12 * self.energy {
                break;
            }
            let length = squares.sqrt();
            let vectors = self.places.iter().zip(column.chunks_exact(2)).map(|(place, part)| {
                let known =
                    |value: f64| if place.flags.contains(Flags::MASKED) { f64::NAN } else { value / length };
                let (dx, dy) = (known(part[0]), known(part[1]));
                Vector { dx, dy, correlation: f64::NAN, peak_ratio: f64::NAN, ..*place }
            });
            let field = VectorField { nx, ny, vectors: vectors.collect() };
            modes.push(Mode { field, energy: squares / fields, share: squares / self.energy });
        }
        modes
    }

    /// The mean field so far, of what [`add`](Pod::add) takes: also of vectors that were replaced.
    pub fn mean(&self) -> VectorField {
        let (nx, ny) = self.grid.unwrap_or_default();
        let vectors = self.places.iter().zip(self.mean.chunks_exact(2)).map(|(place, mean)| {
            let known = |value: f64| if place.flags.contains(Flags::MASKED) { f64::NAN } else { value };
            let (dx, dy) = (known(mean[0]), known(mean[1]));
            Vector { dx, dy, correlation: f64::NAN, peak_ratio: f64::NAN, ..*place }
        });
        VectorField { nx, ny, vectors: vectors.collect() }
    }
}

impl Mode {
    /// The coefficient of this mode in a field, px: how much of the pattern its deviation from the mean has. What is no
    /// number in one of them counts nothing.
    ///
    /// # Errors
    /// [`PivError::Grid`] if the fields have other grids than the mode.
    pub fn coefficient(&self, field: &VectorField, mean: &VectorField) -> Result<f64, PivError> {
        let expected = (self.field.nx, self.field.ny);
        for found in [(field.nx, field.ny), (mean.nx, mean.ny)] {
            if found != expected {
                return Err(PivError::Grid { expected, found });
            }
        }
        let vectors = self.field.vectors.iter().zip(&field.vectors).zip(&mean.vectors);
        let parts = vectors.flat_map(|((mode, vector), mean)| {
            [mode.dx * (vector.dx - mean.dx), mode.dy * (vector.dy - mean.dy)]
        });
        Ok(parts.filter(|part| part.is_finite()).sum())
    }
}

/// The leading principal axes of columns, each as long as the root of its eigenvalue.
fn leading(columns: &[Vec<f64>], most: usize) -> Vec<Vec<f64>> {
    let size = columns.len();
    let mut products = DMatrix::zeros(size, size);
    for i in 0..size {
        for j in 0..=i {
            let product: f64 = columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b).sum();
            (products[(i, j)], products[(j, i)]) = (product, product);
        }
    }
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(products);
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&a, &b| eigenvalues[b].total_cmp(&eigenvalues[a]));
    let positive = order.into_iter().filter(|&index| eigenvalues[index] > 0.0).take(most);
    positive
        .map(|index| {
            let mut axis = vec![0.0; columns[0].len()];
            for (column, weight) in columns.iter().zip(eigenvectors.column(index).iter()) {
                axis.iter_mut().zip(column).for_each(|(sum, value)| *sum += weight * value);
            }
            axis
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A travelling wave, a weaker standing one, and noise.
    fn series(count: usize) -> Vec<VectorField> {
        let mut rng = fastrand::Rng::with_seed(11);
        let field = |t: usize, noise: &mut dyn FnMut() -> f64| {
            let time = t as f64;
            let vector = |index: usize| {
                let (x, y) = ((index % 12) as f64, (index / 12) as f64);
                let dx = 5.0 + (0.52 * x - 0.9 * time).cos() + 0.01 * noise();
                let dy = 0.4 * (0.39 * y).cos() * (1.7 * time).sin() + 0.01 * noise();
                let flags = if index == 0 { Flags::MASKED } else { Flags::default() };
                let (dx, dy) = if index == 0 { (f64::NAN, f64::NAN) } else { (dx, dy) };
                Vector { x, y, dx, dy, correlation: 1.0, peak_ratio: 2.0, flags }
            };
            VectorField { nx: 12, ny: 8, vectors: (0..96).map(vector).collect() }
        };
        (0..count).map(|t| field(t, &mut || rng.f64() - 0.5)).collect()
    }

    /// All fields at once: the method of snapshots.
    fn snapshots(fields: &[VectorField]) -> Vec<f64> {
        let known = |value: f64| if value.is_finite() { value } else { 0.0 };
        let mut columns: Vec<Vec<f64>> = fields
            .iter()
            .map(|field| {
                field.vectors.iter().flat_map(|vector| [known(vector.dx), known(vector.dy)]).collect()
            })
            .collect();
        let count = fields.len() as f64;
        for index in 0..192 {
            let mean = columns.iter().map(|column| column[index]).sum::<f64>() / count;
            columns.iter_mut().for_each(|column| column[index] -= mean);
        }
        let axes = leading(&columns, 5);
        axes.iter().map(|axis| axis.iter().map(|value| value * value).sum::<f64>() / count).collect()
    }

    #[test]
    fn piv_pod_in_blocks_has_the_modes_of_all_snapshots_at_once() {
        let fields = series(101);
        let mut pod = Pod::new(3).unwrap();
        fields.iter().for_each(|field| pod.add(field).unwrap());
        assert!(pod.modes.len() <= 9 && pod.block.len() <= 9, "the memory does not grow with the series");
        let mean = pod.mean();
        let modes = pod.finish();
        assert_eq!(modes.len(), 3);
        for (mode, wanted) in modes.iter().zip(snapshots(&fields)) {
            assert!((mode.energy / wanted - 1.0).abs() < 1e-4, "{} {wanted}", mode.energy);
            let squares = mode.field.vectors.iter().flat_map(|vector| [vector.dx, vector.dy]);
            let length: f64 = squares.filter(|value| value.is_finite()).map(|value| value * value).sum();
            assert!((length - 1.0).abs() < 1e-9);
            assert!(mode.field.vectors[0].dx.is_nan() && mode.field.vectors[1].dx.is_finite());
        }
        assert!(modes[0].share + modes[1].share + modes[2].share > 0.99);
        // The mean square of the coefficients is the energy.
        let squares = fields.iter().map(|field| modes[0].coefficient(field, &mean).unwrap().powi(2));
        let energy = squares.sum::<f64>() / fields.len() as f64;
        assert!((energy / modes[0].energy - 1.0).abs() < 1e-3, "{energy} {}", modes[0].energy);
    }

    #[test]
    fn piv_pod_of_little_and_of_wrong_input() {
        assert!(Pod::new(0).is_err() && Pod::new(201).is_err());
        assert!(Pod::new(2).unwrap().finish().is_empty());
        let fields = series(2);
        let mut pod = Pod::new(5).unwrap();
        pod.add(&fields[0]).unwrap();
        assert!(pod.clone().finish().is_empty(), "one field does not fluctuate");
        pod.add(&fields[1]).unwrap();
        assert!(pod.add(&VectorField::default()).is_err());
        let modes = pod.finish();
        assert_eq!(modes.len(), 1, "two fields have one difference");
        assert!((modes[0].share - 1.0).abs() < 1e-9);
        assert!(modes[0].coefficient(&VectorField::default(), &fields[0]).is_err());
    }
}
