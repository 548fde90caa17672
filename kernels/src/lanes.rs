//! Sums whose order lets the compiler use vector registers.
//!
//! Floating-point addition is not associative, so a plain sum must run one value after another. With
//! sixteen partial sums, side by side, it runs as wide as the machine allows, and is more precise, too.

/// Partial sums: two registers of AVX, four of SSE.
const LANES: usize = 16;

/// The sum of `term` over pairs of values.
#[inline(always)]
fn sum_pairs(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks_a, rest_a) = a.as_chunks::<LANES>();
    let (chunks_b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(&a, &b)| term(a, b)).sum();
    sums.iter().sum::<f32>() + rest
}

/// The scalar product of two slices of the same length.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_pairs(a, b, |a, b| a * b)
}

/// The sum of a slice.
pub(crate) fn sum(values: &[f32]) -> f32 {
    sum_pairs(values, values, |value, _| value)
}

/// Largest value of a slice; negative infinity if it is empty. A value that is no number never wins.
pub(crate) fn max(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut most = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            most[lane] = larger(most[lane], chunk[lane]);
        }
    }
    most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_are_no_multiple_of_the_lanes() {
        for length in [0, 1, 15, 16, 17, 33, 100] {
            let values: Vec<f32> = (0..length).map(|i| (i as f32 * 0.7).sin()).collect();
            let plain = |f: fn(f32) -> f32| values.iter().map(|&v| f64::from(f(v))).sum::<f64>();
            assert!((f64::from(sum(&values)) - plain(|v| v)).abs() < 1e-5);
            assert!((f64::from(dot(&values, &values)) - plain(|v| v * v)).abs() < 1e-5);
            let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(max(&values), most);
        }
        assert_eq!(max(&[f32::NAN, 1.0, f32::NAN]), 1.0);
    }
}
