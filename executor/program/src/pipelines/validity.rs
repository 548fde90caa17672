//! How many vectors of a run are valid.

use std::sync::{Arc, Mutex, PoisonError};

use terzetto_kernels::{Flags, VectorField};

/// Counts of vectors, added up while a series is computed. Clones are the same counts.
#[derive(Clone, Debug, Default)]
pub struct Validity(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    fields: usize,
    vectors: usize,
    valid: usize,
    worst: Option<(f64, String)>,
}

impl Validity {
    /// Adds the vectors of a field. Masked ones do not count: nobody wants to know of a wall whether it moves.
    pub fn add(&self, name: &str, field: &VectorField) {
        let counted = || field.vectors.iter().filter(|vector| !vector.flags.contains(Flags::MASKED));
        let (vectors, valid) =
            (counted().count(), counted().filter(|vector| vector.flags.is_valid()).count());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.fields += 1;
        counts.vectors += vectors;
        counts.valid += valid;
        let share = valid as f64 / vectors.max(1) as f64;
        if vectors > 0 && counts.worst.as_ref().is_none_or(|(worst, _)| share < *worst) {
            counts.worst = Some((share, name.to_owned()));
        }
    }

    /// The share of valid vectors, 0 to 1. `None` if there was no vector.
    pub fn share(&self) -> Option<f64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (counts.vectors > 0).then(|| counts.valid as f64 / counts.vectors as f64)
    }

    /// One line for people: `3.2 % of the vectors are not valid, at most 12.0 % in run_04`. `None` without a vector.
    pub fn summary(&self) -> Option<String> {
        let invalid = 100.0 * (1.0 - self.share()?);
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = match counts.valid {
            0 => "not one vector is valid".to_owned(),
            _ => format!("{invalid:.1} % of the vectors are not valid"),
        };
        if let (Some((share, name)), true) = (&counts.worst, counts.fields > 1 && counts.valid > 0) {
            text.push_str(&format!(", at most {:.1} % in {name}", 100.0 * (1.0 - share)));
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use terzetto_kernels::Vector;

    use super::*;

    #[test]
    fn masked_vectors_do_not_count_and_the_worst_couple_is_named() {
        let field = |flags: &[Flags]| {
            let vector = |&flags: &Flags| Vector {
                x: 0.0,
                y: 0.0,
                dx: 0.0,
                dy: 0.0,
                correlation: 1.0,
                peak_ratio: 2.0,
                flags,
            };
            VectorField { nx: flags.len(), ny: 1, vectors: flags.iter().map(vector).collect() }
        };
        let (good, bad) = (Flags::default(), Flags::MEDIAN_OUTLIER | Flags::REPLACED);
        let validity = Validity::default();
        assert_eq!((validity.share(), validity.summary()), (None, None));
        validity.add("a", &field(&[bad, bad, Flags::MASKED]));
        assert_eq!(validity.summary().unwrap(), "not one vector is valid");
        validity.add("b", &field(&[good, good]));
        assert_eq!(validity.share(), Some(0.5));
        assert_eq!(validity.summary().unwrap(), "50.0 % of the vectors are not valid, at most 100.0 % in a");
    }
}
