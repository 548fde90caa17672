//! Tests of a vector against its neighbours.
//!
//! The normalised median test (Westerweel and Scarano 2005, *Experiments in Fluids* 39, 1096-1100)
//! measures a vector's distance from the median of its neighbours in units of the neighbours' own
//! spread, plus the noise that any vector has. One threshold then serves quiet and turbulent regions,
//! where a threshold in pixels must be chosen anew for each.
//!
//! Two things are added to the authors' test. The noise is that of the field, if it has more than the usual 0.1 px:
//! the distances of all vectors from their medians tell it, and in a noisy field good vectors are kept. And the spread
//! counts up to a limit only: among vectors that have nothing to do with each other, each is within the spread of the
//! others, and all would be valid.
//!
//! At the border of the field the neighbours lie on one side, and in a shear all of them differ. The
//! field is therefore continued beyond its border, `u(-i) = 2 u(0) - u(i)`, so that a linear field has
//! the median in the middle at the border, too.

use super::ValidationParams;
use crate::field::{Flags, VectorField};

/// The most neighbours: two columns and rows on each side.
const MOST: usize = 24;
/// With fewer neighbours than these nothing is said about a vector.
const FEWEST: usize = 3;
/// The standard deviation of a normal distribution over the median of its magnitudes.
const DEVIATION_OVER_MEDIAN: f64 = 1.4826;
/// A vector differs from the median of eight neighbours by more than its own noise: that of the median is added.
const OWN_PART: f64 = 1.0 / 1.09;
/// What is added to the spread, in standard deviations. The spread is two thirds of one, so that vectors up to five off
/// pass with a threshold of 2.5: the noise of a field with few or lost particles has long tails.
const NOISE_PART: f64 = 1.5;
/// The correlation below which a high peak proves nothing: two unrelated windows of 16 px reach 0.4.
const LEAST_PROOF: f64 = 0.5;
/// Where vectors differ by more than this from their neighbours' medians, most of them have nothing to do with each
/// other, px.
const INCOHERENT: f64 = 0.75;

/// What the median test forgives a vector of a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance {
    /// Noise of the displacements, px.
    noise: f64,
    /// The largest spread of neighbours that counts, px.
    spread: f64,
}

impl Tolerance {
    /// What a field asks for, by the vectors that are valid now: as the parameters say, or more noise if the field has
    /// more and they allow it. In a field without coherence only vectors that agree closely can be right.
    fn of(field: &VectorField, around: &Surroundings, params: &ValidationParams) -> Tolerance {
        let spread = params.median_spread_max * field.step();
        let told = Tolerance { noise: params.median_noise, spread };
        if !params.median_adaptive {
            return told;
        }
        match around.deviation(field) {
            Some(deviation) if deviation > INCOHERENT => Tolerance { spread: spread.min(told.noise), ..told },
            Some(deviation) => Tolerance { noise: told.noise.max(NOISE_PART * deviation), ..told },
            None => told,
        }
    }
}

/// What the neighbours of each vector say; kept from round to round, and made anew only where a neighbour has changed.
pub(super) struct Surroundings {
    radius: usize,
    statistics: Vec<Option<[MedianAndSpread; 2]>>,
}

impl Surroundings {
    pub(super) fn of(field: &VectorField, params: &ValidationParams) -> Surroundings {
        let radius = params.neighbour_radius.min(2);
        let statistics = (0..field.vectors.len()).map(|index| statistics(field, index, radius)).collect();
        Surroundings { radius, statistics }
    }

    /// Takes note of a vector that has become valid or not, or has another displacement.
    pub(super) fn update(&mut self, field: &VectorField, changed: &[usize]) {
        let mut stale = vec![false; self.statistics.len()];
        for &index in changed {
            // A vector at the border counts for the continuation of the field beyond it, too.
            field.around(index, self.radius).chain([index]).for_each(|index| stale[index] = true);
        }
        for (index, _) in stale.iter().enumerate().filter(|(_, stale)| **stale) {
            self.statistics[index] = statistics(field, index, self.radius);
        }
    }

    /// The standard deviation of valid vectors, px, from how far they lie from their neighbours' medians; none without
    /// any.
    fn deviation(&self, field: &VectorField) -> Option<f64> {
        let valid = field.vectors.iter().zip(&self.statistics).filter(|(vector, _)| vector.flags.is_valid());
        let mut distances: Vec<f64> = valid
            .filter_map(|(vector, statistics)| {
                statistics.map(|[x, y]| [vector.dx - x.median, vector.dy - y.median])
            })
            .flatten()
            .map(f64::abs)
            .collect();
        let middle = distances.len() / 2;
        if distances.is_empty() {
            return None;
        }
        let (_, &mut median, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
        Some(median * DEVIATION_OVER_MEDIAN * OWN_PART)
    }

    /// What the median test forgives vectors of the field.
    pub(super) fn tolerance(&self, field: &VectorField, params: &ValidationParams) -> Tolerance {
        Tolerance::of(field, self, params)
    }

    /// What the neighbours of a vector say about a displacement in its place; none if too few of them are valid.
    pub(super) fn verdict(&self, index: usize, [dx, dy]: [f64; 2], tolerance: Tolerance) -> Option<Verdict> {
        let [x, y] = self.statistics[index]?;
        let (dx, dy) = (dx - x.median, dy - y.median);
        let forgiven = |spread: f64| spread.min(tolerance.spread) + tolerance.noise;
        Some(Verdict {
            difference: dx.hypot(dy),
            residual: (dx / forgiven(x.spread)).hypot(dy / forgiven(y.spread)),
        })
    }
}

/// Median and spread of a vector's neighbours; none if too few are valid.
fn statistics(field: &VectorField, index: usize, radius: usize) -> Option<[MedianAndSpread; 2]> {
    Neighbours::of(field, index, radius).map(Neighbours::statistics)
}

/// The neighbours of a vector that are valid, as one component each.
struct Neighbours {
    components: [[f64; MOST]; 2],
    count: usize,
}

impl Neighbours {
    fn of(field: &VectorField, index: usize, radius: usize) -> Option<Neighbours> {
        let radius = radius.min(2) as isize;
        let mut found = Neighbours { components: [[0.0; MOST]; 2], count: 0 };
        let mut inside = 0;
        let (ix, iy) = ((index % field.nx) as isize, (index / field.nx) as isize);
        for (j, i) in (-radius..=radius).flat_map(|j| (-radius..=radius).map(move |i| (j, i))) {
            if (i, j) == (0, 0) {
                continue;
            }
            let (x, y) = (ix + i, iy + j);
            let border = (x.clamp(0, field.nx as isize - 1), y.clamp(0, field.ny as isize - 1));
            let at = |(x, y): (isize, isize)| {
                let vector = field.get(usize::try_from(x).ok()?, usize::try_from(y).ok()?)?;
                (vector.flags.is_valid() || (x, y) == (ix, iy)).then_some([vector.dx, vector.dy])
            };
            let value = if border == (x, y) {
                let value = at(border);
                inside += usize::from(value.is_some());
                value
            } else {
                let mirrored = at((2 * border.0 - x, 2 * border.1 - y));
                at(border).zip(mirrored).map(|(a, b)| [2.0 * a[0] - b[0], 2.0 * a[1] - b[1]])
            };
            if let Some([dx, dy]) = value {
                found.components[0][found.count] = dx;
                found.components[1][found.count] = dy;
                found.count += 1;
            }
        }
        (inside >= FEWEST).then_some(found)
    }

    /// For each component the median, and the median distance from it.
    fn statistics(mut self) -> [MedianAndSpread; 2] {
        let count = self.count;
        self.components.each_mut().map(|values| {
            let values = &mut values[..count];
            let middle = median(values);
            values.iter_mut().for_each(|value| *value = (*value - middle).abs());
            MedianAndSpread { median: middle, spread: median(values) }
        })
    }
}

/// One component of the neighbours.
#[derive(Debug, Clone, Copy)]
struct MedianAndSpread {
    median: f64,
    spread: f64,
}

/// The median of a few numbers, by insertion: the middle one, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> f64 {
    for end in 1..values.len() {
        let value = values[end];
        let mut at = end;
        while at > 0 && values[at - 1] > value {
            values[at] = values[at - 1];
            at -= 1;
        }
        values[at] = value;
    }
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { 0.5 * (values[half - 1] + values[half]) }
}

/// What the neighbours of a vector say about a displacement in its place.
pub(super) struct Verdict {
    /// Distance from the median, px.
    pub(super) difference: f64,
    /// Normalised residual.
    pub(super) residual: f64,
}

impl Verdict {
    pub(super) fn flags(&self, params: &ValidationParams) -> Flags {
        let mut flags = Flags::default();
        if self.difference > params.neighbour_difference {
            flags |= Flags::NEIGHBOUR_OUTLIER;
        }
        if self.residual > params.median_threshold {
            flags |= Flags::MEDIAN_OUTLIER;
        }
        flags
    }
}

/// The normalised residual of the median test for one vector; none if fewer than three of its neighbours
/// are valid.
///
/// ```
/// use terzetto_kernels::{Flags, Vector, VectorField, validation::normalised_median};
/// let vector = |dx| Vector { x: 0.0, y: 0.0, dx, dy: 0.0, correlation: 1.0, peak_ratio: 2.0, flags: Flags::default() };
/// let mut vectors: Vec<Vector> = [1.0, 1.1, 0.9, 1.0, 5.0, 1.0, 1.2, 0.8, 1.0].map(vector).to_vec();
/// let field = VectorField { nx: 3, ny: 3, vectors };
/// // The neighbours' median is 1.0, their median distance from it 0.05, and the noise 0.1.
/// assert!((normalised_median(&field, 4, 1, 0.1).unwrap() - 4.0 / 0.15).abs() < 1e-9);
/// ```
pub fn normalised_median(field: &VectorField, index: usize, radius: usize, noise: f64) -> Option<f64> {
    let vector = field.vectors.get(index)?;
    let [x, y] = statistics(field, index, radius)?;
    let residual = |value: f64, of: MedianAndSpread| (value - of.median) / (of.spread + noise);
    Some(residual(vector.dx, x).hypot(residual(vector.dy, y)))
}

/// What the neighbours of each vector say about it: flags that are to be added.
///
/// Every vector is judged by the field as it is given. A vector around which fewer than three are valid, of those that
/// there are, cannot be judged: it is [`UNSUPPORTED`](Flags::UNSUPPORTED), unless its peak is high above the second one.
pub(super) fn judge(field: &VectorField, around: &Surroundings, params: &ValidationParams) -> Vec<Flags> {
    let none = Flags::default();
    if params.neighbour_difference.is_infinite() && params.median_threshold.is_infinite() {
        return vec![none; field.vectors.len()];
    }
    let tolerance = around.tolerance(field, params);
    let judge = |index: usize| {
        let vector = &field.vectors[index];
        if vector.flags.intersects(Flags::MASKED | Flags::NO_SIGNAL) {
            return none;
        }
        match around.verdict(index, [vector.dx, vector.dy], tolerance) {
            Some(verdict) => verdict.flags(params),
            None if is_supported(field, index, params) => none,
            None => Flags::UNSUPPORTED,
        }
    };
    (0..field.vectors.len()).map(judge).collect()
}

/// Whether a vector of which the neighbours can say nothing is to be believed.
fn is_supported(field: &VectorField, index: usize, params: &ValidationParams) -> bool {
    let around = || field.around(index, params.neighbour_radius).map(|other| field.vectors[other].flags);
    let there = around().filter(|flags| !flags.intersects(Flags::MASKED)).count();
    let valid = around().filter(|flags| flags.is_valid()).count();
    // In a grid of one row, or between walls, there are not three.
    let vector = &field.vectors[index];
    let is_proved = vector.peak_ratio >= params.peak_ratio_proof && vector.correlation >= LEAST_PROOF;
    valid >= FEWEST.min(there) || is_proved
}

/// Flags vectors that differ too much from their neighbours, and those that have too few to tell, all judged by the
/// field as it is given. [`test`](super::test) repeats it until nothing changes.
pub fn test_neighbours(field: &mut VectorField, params: &ValidationParams) {
    let flags = judge(field, &Surroundings::of(field, params), params);
    for (vector, flags) in field.vectors.iter_mut().zip(flags) {
        vector.flags |= flags;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Vector;

    fn field(nx: usize, displacement: impl Fn(usize, usize) -> (f64, f64)) -> VectorField {
        let vectors = (0..nx * nx)
            .map(|index| {
                let (dx, dy) = displacement(index % nx, index / nx);
                let flags = Flags::default();
                Vector { x: 0.0, y: 0.0, dx, dy, correlation: 0.9, peak_ratio: 3.0, flags }
            })
            .collect();
        VectorField { nx, ny: nx, vectors }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn one_wild_vector_in_a_shear_is_found_and_no_other() {
        let mut field = field(7, |i, j| if (i, j) == (3, 4) { (6.0, -1.0) } else { (0.5 * j as f64, 0.0) });
        test_neighbours(&mut field, &ValidationParams::default());
        for (index, vector) in field.vectors.iter().enumerate() {
            assert_eq!(vector.flags.contains(Flags::MEDIAN_OUTLIER), index == 4 * 7 + 3, "{index}");
        }
    }

    #[test]
    fn invalid_neighbours_have_no_vote_and_too_few_say_nothing() {
        let mut field = field(3, |i, j| if (i, j) == (1, 1) { (9.0, 0.0) } else { (0.0, 0.0) });
        for index in 0..6 {
            if index != 4 {
                field.vectors[index].flags |= Flags::LOW_CORRELATION;
            }
        }
        assert!(normalised_median(&field, 4, 1, 0.1).unwrap() > 80.0);
        field.vectors[8].flags |= Flags::LOW_CORRELATION;
        assert_eq!(normalised_median(&field, 4, 1, 0.1), None);
    }

    #[test]
    fn the_difference_in_pixels_is_a_test_of_its_own() {
        let mut field = field(3, |i, j| if (i, j) == (1, 1) { (9.0, 0.0) } else { (0.0, 0.0) });
        let off = f64::INFINITY;
        let params =
            ValidationParams { neighbour_difference: 8.0, median_threshold: off, ..Default::default() };
        test_neighbours(&mut field, &params);
        assert_eq!(field.vectors[4].flags, Flags::NEIGHBOUR_OUTLIER);
        assert!(field.vectors.iter().filter(|vector| vector.flags.is_valid()).count() == 8);
    }
}
