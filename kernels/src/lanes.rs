//! Sums whose order lets the compiler use vector registers.
//!
//! Floating-point addition is not associative, so a plain sum must run one value after another. With
//! sixteen partial sums, side by side, it runs as wide as the machine allows, and is more precise, too.
//!
//! The compiler makes packed SSE2 of these loops, the least that any x86-64 has. The same program compiled for
//! AVX2 took as long within 5 %: what is wide is the Fourier transform, which looks for AVX by itself, so there
//! is one version of each function.

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

/// Copies a line, and adds its values to partial sums.
#[inline]
pub(crate) fn copy_adding(target: &mut [f32], source: &[f32], sums: &mut [f32; 8]) {
    let (chunks, rest) = target.as_chunks_mut::<8>();
    let (source_chunks, source_rest) = source.as_chunks::<8>();
    for (target, source) in chunks.iter_mut().zip(source_chunks) {
        *target = *source;
        for lane in 0..8 {
            sums[lane] += source[lane];
        }
    }
    for (target, source) in rest.iter_mut().zip(source_rest) {
        *target = *source;
        sums[0] += source;
    }
}

/// Adds the products of two slices to partial sums.
#[inline(always)]
pub(crate) fn add_products(a: &[f32], b: &[f32], sums: &mut [f32; 8]) {
    let (chunks_a, rest_a) = a.as_chunks::<8>();
    let (chunks_b, rest_b) = b.as_chunks::<8>();
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for ((sum, &a), &b) in sums.iter_mut().zip(rest_a).zip(rest_b) {
        *sum += a * b;
    }
}

/// The largest finite magnitude of a slice; 0 without one.
pub(crate) fn magnitude(values: &[f32]) -> f32 {
    let mut most = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            most[lane] = larger(most[lane], finite_magnitude(chunk[lane]));
        }
    }
    let rest = rest.iter().map(|&value| finite_magnitude(value));
    most.into_iter().chain(rest).fold(0.0, larger)
}

fn finite_magnitude(value: f32) -> f32 {
    // A comparison with NaN is false, so that it counts as nothing, too.
    if value.abs() <= f32::MAX { value.abs() } else { 0.0 }
}

/// Changes every value, and returns the sum of the squares.
#[inline(always)]
pub(crate) fn change_summing_squares(values: &mut [f32], change: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = values.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            chunk[lane] = change(chunk[lane]);
            sums[lane] += chunk[lane] * chunk[lane];
        }
    }
    let mut sum = sums.iter().sum();
    for value in rest {
        *value = change(*value);
        sum += *value * *value;
    }
    sum
}

/// Largest value of a slice; negative infinity if it is empty. A value that is no number never wins.
#[inline]
pub(crate) fn max(values: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; 8];
    let mut take = |chunk: &[f32; 8]| {
        for lane in 0..8 {
            most[lane] = larger(most[lane], chunk[lane]);
        }
    };
    values.as_chunks::<8>().0.iter().for_each(&mut take);
    match values.last_chunk::<8>() {
        // The largest of all does not mind being looked at twice.
        Some(last) => take(last),
        None => return values.iter().copied().fold(f32::NEG_INFINITY, larger),
    }
    let four = [0, 1, 2, 3].map(|lane| larger(most[lane], most[lane + 4]));
    larger(larger(four[0], four[2]), larger(four[1], four[3]))
}

fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_are_no_multiple_of_the_lanes() {
        for length in [0, 1, 7, 8, 15, 16, 17, 33, 100] {
            let values: Vec<f32> = (0..length).map(|i| (i as f32 * 0.7).sin()).collect();
            let plain = |f: fn(f32) -> f32| values.iter().map(|&v| f64::from(f(v))).sum::<f64>();
            assert!((f64::from(sum(&values)) - plain(|v| v)).abs() < 1e-5);
            assert!((f64::from(dot(&values, &values)) - plain(|v| v * v)).abs() < 1e-5);
            let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(max(&values), most);
            let (mut copy, mut sums) = (vec![0.0; length], [0.0; 8]);
            copy_adding(&mut copy, &values, &mut sums);
            assert_eq!(copy, values);
            assert!((f64::from(sums.iter().sum::<f32>()) - plain(|v| v)).abs() < 1e-5);
            let squares = change_summing_squares(&mut copy, |value| 2.0 * value);
            assert!((f64::from(squares) - 4.0 * plain(|v| v * v)).abs() < 1e-4);
        }
        let (infinity, nan) = (f32::INFINITY, f32::NAN);
        assert_eq!(magnitude(&[nan, 1.0, -3.0, infinity]), 3.0);
        assert_eq!(magnitude(&[vec![0.5; 32], vec![-7.0, nan], vec![-infinity; 17]].concat()), 7.0);
        let (a, b): (Vec<f32>, Vec<f32>) = ((0..19).map(|i| i as f32).collect(), vec![2.0; 19]);
        let mut sums = [1.0; 8];
        add_products(&a, &b, &mut sums);
        assert_eq!(sums.iter().sum::<f32>(), 350.0);
        assert_eq!(max(&[f32::NAN, 1.0, f32::NAN]), 1.0);
        assert_eq!(max(&[f32::NAN; 9]), f32::NEG_INFINITY);
    }
}
