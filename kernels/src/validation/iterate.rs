//! All tests together, until nothing changes.
//!
//! Whether a vector is valid depends on its neighbours, and on whether these are valid. A wrong vector may make a good
//! neighbour look wrong; once it is known to be wrong the neighbour is judged anew. Such a change of mind could go back
//! and forth for ever, so that after some rounds vectors can only become invalid, which must end.

use super::{
    OtherPeaks, ValidationParams,
    median::{Surroundings, judge},
    replace::take_other_peaks,
    test_alone,
};
use crate::field::{Flags, VectorField};

/// Rounds in which a vector may become valid again. Fields of sixteen kinds, noise and loss among them, settle in two
/// to six.
const ROUNDS: usize = 10;

/// All tests, with lower peaks tried, until no vector changes; flags are set, nothing is interpolated. `others` holds the
/// lower peaks of each vector, or nothing.
///
/// ```
/// use terzetto_kernels::{Flags, Vector, VectorField, validation::{ValidationParams, test}};
/// let vector = |index: usize| {
///     let (x, y) = ((index % 5) as f64, (index / 5) as f64);
///     let dx = if index == 12 { -9.0 } else { 0.5 };
///     Vector { x, y, dx, dy: 0.0, correlation: 0.8, peak_ratio: 1.5, flags: Flags::default() }
/// };
/// let mut field = VectorField { nx: 5, ny: 5, vectors: (0..25).map(vector).collect() };
/// test(&mut field, &[], &ValidationParams::default());
/// assert_eq!(field.vectors[12].flags, Flags::MEDIAN_OUTLIER);
/// assert_eq!(field.share_valid(), 24.0 / 25.0);
/// ```
pub fn test(field: &mut VectorField, others: &[OtherPeaks], params: &ValidationParams) {
    test_alone(field, params);
    let mut around = Surroundings::of(field, params);
    settle(field, &mut around, params);
    if params.other_peaks && !others.is_empty() {
        // A lower peak that is taken may let a neighbour's be seen as right, and may be contradicted by it.
        for _ in 0..ROUNDS {
            let taken = take_other_peaks(field, &around, others, params);
            if taken.is_empty() {
                break;
            }
            around.update(field, &taken);
            settle(field, &mut around, params);
        }
    }
}

/// Judges all vectors by their neighbours until none changes.
fn settle(field: &mut VectorField, around: &mut Surroundings, params: &ValidationParams) {
    let by_neighbours = Flags::MEDIAN_OUTLIER | Flags::NEIGHBOUR_OUTLIER | Flags::UNSUPPORTED;
    for round in 0.. {
        let judged = judge(field, around, params);
        let mut changed = Vec::new();
        for (index, (vector, flags)) in field.vectors.iter_mut().zip(judged).enumerate() {
            let kept = if round < ROUNDS { vector.flags.without(by_neighbours) } else { vector.flags };
            let flags = kept | flags;
            if flags.is_valid() != vector.flags.is_valid() {
                changed.push(index);
            }
            vector.flags = flags;
        }
        if changed.is_empty() {
            break;
        }
        around.update(field, &changed);
    }
}
