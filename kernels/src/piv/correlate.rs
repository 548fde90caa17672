//! Cross-correlation of two windows through the Fourier transform, planned once.
//!
//! The windows are padded with zeros to twice their side, so that nothing wraps around. A sum at
//! displacement `d` then has only the pixels in which the shifted windows overlap; it is divided by
//! their share, or displacements would be biased towards zero.

use super::params::PivError;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner, num_complex::Complex32};
use std::sync::Arc;

pub(crate) struct Correlator {
    window: usize,
    /// Side of the padded window.
    side: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
    column: Arc<dyn Fft<f32>>,
    column_back: Arc<dyn Fft<f32>>,
    real: Vec<f32>,
    /// Spectra, stored column by column: `side / 2 + 1` columns of `side`.
    spectra: [Vec<Complex32>; 2],
    row: Vec<Complex32>,
    scratch: Vec<Complex32>,
    scratch_real: Vec<Complex32>,
    /// The correlation, `side` by `side`, displacement zero in the corner.
    out: Vec<f32>,
}

fn failed(error: realfft::FftError) -> PivError {
    PivError::Transform(error.to_string())
}

impl Correlator {
    pub(crate) fn new(window: usize) -> Correlator {
        let side = (2 * window).next_power_of_two();
        let (mut real, mut complex) = (RealFftPlanner::new(), FftPlanner::new());
        let (forward, backward) = (real.plan_fft_forward(side), real.plan_fft_inverse(side));
        let (column, column_back) = (complex.plan_fft_forward(side), complex.plan_fft_inverse(side));
        let zero = Complex32::new(0.0, 0.0);
        let half = side / 2 + 1;
        let scratch = column.get_inplace_scratch_len().max(column_back.get_inplace_scratch_len());
        let scratch_real = forward.get_scratch_len().max(backward.get_scratch_len());
        Correlator {
            window,
            side,
            forward,
            backward,
            column,
            column_back,
            real: vec![0.0; side],
            spectra: [vec![zero; half * side], vec![zero; half * side]],
            row: vec![zero; half],
            scratch: vec![zero; scratch],
            scratch_real: vec![zero; scratch_real],
            out: vec![0.0; side * side],
        }
    }

    fn transform(&mut self, which: usize, pixels: &[f32]) -> Result<(), PivError> {
        let (n, side) = (self.window, self.side);
        self.spectra[which].fill(Complex32::new(0.0, 0.0));
        for (y, line) in pixels.chunks_exact(n).enumerate() {
            self.real[..n].copy_from_slice(line);
            self.real[n..].fill(0.0);
            self.forward
                .process_with_scratch(&mut self.real, &mut self.row, &mut self.scratch_real)
                .map_err(failed)?;
            for (x, &value) in self.row.iter().enumerate() {
                self.spectra[which][x * side + y] = value;
            }
        }
        self.column.process_with_scratch(&mut self.spectra[which], &mut self.scratch);
        Ok(())
    }

    /// Correlates two windows (`window` by `window` pixels, mean removed).
    pub(crate) fn correlate(&mut self, first: &[f32], second: &[f32]) -> Result<(), PivError> {
        self.transform(0, first)?;
        self.transform(1, second)?;
        let side = self.side;
        let [a, b] = &mut self.spectra;
        for (a, b) in a.iter_mut().zip(b.iter()) {
            *a = a.conj() * b;
        }
        self.column_back.process_with_scratch(a, &mut self.scratch);
        for y in 0..side {
            for (x, value) in self.row.iter_mut().enumerate() {
                *value = self.spectra[0][x * side + y];
            }
            // Rounding leaves a trace where the spectrum of a real signal has none.
            self.row[0].im = 0.0;
            self.row[side / 2].im = 0.0;
            self.backward
                .process_with_scratch(
                    &mut self.row,
                    &mut self.out[y * side..(y + 1) * side],
                    &mut self.scratch_real,
                )
                .map_err(failed)?;
        }
        Ok(())
    }

    /// The correlation sum at a displacement, divided by the share of pixels that overlap there.
    pub(crate) fn at(&self, dx: isize, dy: isize) -> f32 {
        let side = self.side as isize;
        let index = dy.rem_euclid(side) * side + dx.rem_euclid(side);
        let share = |d: isize| 1.0 - d.unsigned_abs() as f32 / self.window as f32;
        self.out[index as usize] / (share(dx) * share(dy) * (self.side * self.side) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::Correlator;

    #[test]
    fn equals_the_direct_sum() {
        let mut rng = fastrand::Rng::with_seed(1);
        for n in [8_usize, 15, 32] {
            let mut window = || -> Vec<f32> { (0..n * n).map(|_| rng.f32() - 0.5).collect() };
            let (a, b) = (window(), window());
            let mut correlator = Correlator::new(n);
            correlator.correlate(&a, &b).unwrap();
            let max = (n / 2) as isize;
            for (dx, dy) in [(0, 0), (1, -2), (-3, 2), (max, -max)] {
                let mut sum = 0.0;
                for y in 0..n as isize {
                    for x in 0..n as isize {
                        let (u, v) = (x + dx, y + dy);
                        if (0..n as isize).contains(&u) && (0..n as isize).contains(&v) {
                            sum += a[y as usize * n + x as usize] * b[v as usize * n + u as usize];
                        }
                    }
                }
                let share = |d: isize| 1.0 - d.unsigned_abs() as f32 / n as f32;
                let direct = sum / (share(dx) * share(dy));
                assert!((correlator.at(dx, dy) - direct).abs() < 1e-3, "{n} {dx} {dy}");
            }
        }
    }
}
