//! What takes the place of a vector that is wrong.

use super::{OtherPeaks, ValidationParams, median::Surroundings};
use crate::field::{Flags, VectorField};

/// Takes the first lower peak that passes all tests, for vectors that their neighbours contradict; returns which. A
/// vector that has a lower peak already keeps it.
pub(super) fn take_other_peaks(
    field: &mut VectorField,
    around: &Surroundings,
    others: &[OtherPeaks],
    params: &ValidationParams,
) -> Vec<usize> {
    let mut taken = Vec::new();
    let contradicted = |flags: Flags| {
        flags.intersects(Flags::NEIGHBOUR_OUTLIER | Flags::MEDIAN_OUTLIER)
            && !flags.contains(Flags::OTHER_PEAK)
    };
    let tolerance = around.tolerance(field, params);
    for (index, others) in others.iter().enumerate().take(field.vectors.len()) {
        if !contradicted(field.vectors[index].flags) {
            continue;
        }
        let agrees = |other: &&super::OtherPeak| {
            let verdict = around.verdict(index, [other.dx, other.dy], tolerance);
            other.correlation >= params.correl_min
                && other.dx.hypot(other.dy) <= params.displacement_max
                && verdict.is_some_and(|verdict| verdict.flags(params) == Flags::default())
        };
        if let Some(other) = others.as_slice().iter().find(agrees) {
            let vector = &mut field.vectors[index];
            (vector.dx, vector.dy, vector.correlation) = (other.dx, other.dy, other.correlation);
            vector.flags = Flags::OTHER_PEAK;
            taken.push(index);
        }
    }
    taken
}

/// How often interpolated vectors are averaged anew. The error of a gap of `g` vectors shrinks by a
/// factor each round that nears 1 for large gaps; 30 rounds settle gaps of about five vectors.
const ROUNDS: usize = 30;

/// Displacements `[dx, dy]` of a field with those of invalid vectors interpolated: each is the mean of its
/// neighbours, the nearer of which count double (a discrete harmonic function, which has no extremum
/// of its own). Without a single valid vector, the field as it is.
pub fn fill(field: &VectorField) -> Vec<[f64; 2]> {
    let mut values: Vec<[f64; 2]> = field.vectors.iter().map(|vector| [vector.dx, vector.dy]).collect();
    let mut known: Vec<bool> = field.vectors.iter().map(|vector| vector.flags.is_valid()).collect();
    let gaps: Vec<usize> = (0..known.len()).filter(|&index| !known[index]).collect();
    if gaps.is_empty() || gaps.len() == known.len() {
        return values;
    }
    // From the rims of gaps inwards: every sweep fills what touches known vectors.
    let mut left = gaps.clone();
    while !left.is_empty() {
        let means: Vec<_> = left.iter().map(|&index| mean_around(field, &values, &known, index)).collect();
        for (&index, mean) in left.iter().zip(means) {
            if let Some(mean) = mean {
                values[index] = mean;
                known[index] = true;
            }
        }
        left.retain(|&index| !known[index]);
    }
    for _ in 0..ROUNDS {
        for &index in &gaps {
            if let Some(mean) = mean_around(field, &values, &known, index) {
                values[index] = mean;
            }
        }
    }
    values
}

/// The weighted mean of the known neighbours; none if there is none.
fn mean_around(field: &VectorField, values: &[[f64; 2]], known: &[bool], index: usize) -> Option<[f64; 2]> {
    let (mut sum, mut weights) = ([0.0; 2], 0.0);
    for other in field.around(index, 1).filter(|&other| known[other]) {
        let straight = other % field.nx == index % field.nx || other / field.nx == index / field.nx;
        let weight = if straight { 2.0 } else { 1.0 };
        sum[0] += weight * values[other][0];
        sum[1] += weight * values[other][1];
        weights += weight;
    }
    (weights > 0.0).then(|| sum.map(|value| value / weights))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{field::Vector, validation::OtherPeak};

    fn linear(nx: usize, ny: usize, holes: &[usize]) -> VectorField {
        let vectors = (0..nx * ny)
            .map(|index| {
                let (x, y) = ((index % nx) as f64, (index / nx) as f64);
                let hole = holes.contains(&index);
                let flags = if hole { Flags::LOW_CORRELATION } else { Flags::default() };
                let (dx, dy) = if hole { (99.0, -99.0) } else { (0.2 * x - 0.1 * y, 1.0 + 0.3 * y) };
                Vector { x, y, dx, dy, correlation: 0.9, peak_ratio: 2.0, flags }
            })
            .collect();
        VectorField { nx, ny, vectors }
    }

    #[test]
    fn gaps_in_a_linear_field_are_filled_exactly() {
        let holes = [25, 26, 27, 33, 34, 35, 58];
        let field = linear(8, 9, &holes);
        let filled = fill(&field);
        for index in holes {
            let (x, y) = (field.vectors[index].x, field.vectors[index].y);
            let difference = (filled[index][0] - (0.2 * x - 0.1 * y)).abs();
            assert!(difference < 1e-6, "{index}: {:?}", filled[index]);
        }
    }

    #[test]
    fn a_field_without_a_valid_vector_stays_as_it_is() {
        let holes: Vec<usize> = (0..9).collect();
        assert_eq!(fill(&linear(3, 3, &holes))[4], [99.0, -99.0]);
        let holes: Vec<usize> = (1..9).collect();
        assert_eq!(fill(&linear(3, 3, &holes))[8], [0.0, 1.0]);
    }

    #[test]
    fn the_other_peak_that_agrees_is_taken() {
        let mut field = linear(5, 5, &[12]);
        field.vectors[12].flags = Flags::default();
        let mut others = vec![OtherPeaks::default(); 25];
        others[12].push(OtherPeak { dx: -5.0, dy: 0.0, correlation: 0.5 });
        others[12].push(OtherPeak { dx: 0.2, dy: 1.6, correlation: 0.4 });
        super::super::test(&mut field, &others, &ValidationParams::default());
        let vector = field.vectors[12];
        assert_eq!((vector.dx, vector.dy, vector.correlation), (0.2, 1.6, 0.4));
        assert_eq!(vector.flags, Flags::OTHER_PEAK);
    }
}
