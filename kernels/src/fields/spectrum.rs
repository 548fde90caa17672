//! Spectra over time: how the energy of the fluctuations is spread over frequencies.
//!
//! Welch 1967 (*IEEE Transactions on Audio and Electroacoustics* 15, 70-73): the series is cut into segments that
//! overlap by half, each loses its mean, is multiplied by a Hann window and transformed, and the squares are averaged,
//! over segments and over all places of the field. The memory is that of one segment, however long the series is.

use std::sync::Arc;

use rustfft::{Fft, FftPlanner, num_complex::Complex};

use crate::{Flags, PivError, VectorField};

/// Gathers the spectrum of a series, field by field. Fields must follow each other at equal times.
///
/// ```
/// use terzetto_kernels::{Flags, Vector, VectorField, fields::Spectrum};
/// // A vector that swings once in eight fields.
/// let field = |t: f64| {
///     let dx = (std::f64::consts::TAU * t / 8.0).sin();
///     let vector = Vector { x: 0.0, y: 0.0, dx, dy: 0.0, correlation: 1.0, peak_ratio: 2.0, flags: Flags::default() };
///     VectorField { nx: 1, ny: 1, vectors: vec![vector] }
/// };
/// let mut spectrum = Spectrum::new(32)?;
/// for t in 0..100 {
///     spectrum.add(&field(f64::from(t)))?;
/// }
/// let lines = spectrum.lines();
/// let highest = lines.iter().max_by(|a, b| a.dx.total_cmp(&b.dx)).ok_or("no segment")?;
/// assert_eq!(highest.frequency, 0.125);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Spectrum {
    segment: usize,
    fft: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
    grid: Option<(usize, usize)>,
    /// The displacements of the last fields, at most a segment: `dx` as the real part, `dy` as the imaginary one.
    fields: Vec<Vec<Complex<f32>>>,
    /// Sums of the squares of both components, frequency by frequency.
    sums: Vec<[f64; 2]>,
    /// How many transforms are in the sums.
    count: u64,
    segments: u64,
}

/// One frequency of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpectralLine {
    /// In cycles from one field to the next, 0 to 0.5.
    pub frequency: f64,
    /// Power spectral density of the displacements to the right, px² for each cycle per field. Its sum over all lines,
    /// divided by the length of a segment, is the mean squared fluctuation.
    pub dx: f64,
    /// The same downwards.
    pub dy: f64,
}

impl Spectrum {
    /// No field yet; a segment has so many fields.
    ///
    /// # Errors
    /// [`PivError::Parameter`] if `segment` is not an even number from 4 to 65536.
    pub fn new(segment: usize) -> Result<Spectrum, PivError> {
        let good = (4..=65536).contains(&segment) && segment.is_multiple_of(2);
        PivError::check(good, "segment", segment, "an even number of fields from 4 to 65536")?;
        let phase = |index: usize| std::f32::consts::TAU * (index as f32 + 0.5) / segment as f32;
        Ok(Spectrum {
            segment,
            fft: FftPlanner::new().plan_fft_forward(segment),
            window: (0..segment).map(|index| 0.5 - 0.5 * phase(index).cos()).collect(),
            grid: None,
            fields: Vec::new(),
            sums: vec![[0.0; 2]; segment / 2 + 1],
            count: 0,
            segments: 0,
        })
    }

    /// Adds the next field. Vectors that were replaced count as what they were replaced by; places without a number in
    /// one field of a segment do not count in this segment.
    ///
    /// # Errors
    /// [`PivError::Grid`] if its grid is not that of the first field; nothing is added then.
    pub fn add(&mut self, field: &VectorField) -> Result<(), PivError> {
        let found = (field.nx, field.ny);
        let expected = *self.grid.get_or_insert(found);
        if found != expected || field.vectors.len() != found.0 * found.1 {
            return Err(PivError::Grid { expected, found });
        }
        let value = |masked: bool, dx: f64, dy: f64| {
            if masked { Complex::new(f32::NAN, f32::NAN) } else { Complex::new(dx as f32, dy as f32) }
        };
        let values = field
            .vectors
            .iter()
            .map(|vector| value(vector.flags.contains(Flags::MASKED), vector.dx, vector.dy));
        self.fields.push(values.collect());
        if self.fields.len() == self.segment {
            self.transform();
            self.fields.drain(..self.segment / 2);
        }
        Ok(())
    }

    /// How many segments are in the spectrum; fields after the last whole one are not.
    pub fn segments(&self) -> u64 {
        self.segments
    }

    fn transform(&mut self) {
        let n = self.segment;
        let mut line = vec![Complex::new(0.0, 0.0); n];
        let mut scratch = vec![Complex::new(0.0, 0.0); self.fft.get_inplace_scratch_len()];
        self.segments += 1;
        for place in 0..self.fields[0].len() {
            line.iter_mut().zip(&self.fields).for_each(|(value, field)| *value = field[place]);
            let mean = line.iter().sum::<Complex<f32>>() / n as f32;
            if !mean.re.is_finite() || !mean.im.is_finite() {
                continue;
            }
            line.iter_mut().zip(&self.window).for_each(|(value, weight)| *value = (*value - mean) * weight);
            self.fft.process_with_scratch(&mut line, &mut scratch);
            self.count += 1;
            // One transform of a complex series is that of both components: what is even belongs to the real one.
            for (k, sum) in self.sums.iter_mut().enumerate() {
                let (a, b) = (line[k], line[(n - k) % n].conj());
                let squares = [(a + b).norm_sqr(), (a - b).norm_sqr()];
                sum.iter_mut().zip(squares).for_each(|(sum, square)| *sum += f64::from(square) / 4.0);
            }
        }
    }

    /// The spectrum: one-sided densities from frequency 0 to 0.5. Empty before the first whole segment.
    pub fn lines(&self) -> Vec<SpectralLine> {
        if self.count == 0 {
            return Vec::new();
        }
        let power: f64 = self.window.iter().map(|weight| f64::from(weight * weight)).sum();
        let line = |(k, sums): (usize, &[f64; 2])| {
            // Both signs of a frequency, but for the first and the last.
            let sides = if k == 0 || 2 * k == self.segment { 1.0 } else { 2.0 };
            let [dx, dy] = sums.map(|sum| sides * sum / (power * self.count as f64));
            SpectralLine { frequency: k as f64 / self.segment as f64, dx, dy }
        };
        self.sums.iter().enumerate().map(line).collect()
    }
}

impl std::fmt::Debug for Spectrum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spectrum")
            .field("segment", &self.segment)
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vector;

    fn field(values: &[[f64; 2]]) -> VectorField {
        let vector = |&[dx, dy]: &[f64; 2]| {
            let flags = if dx.is_nan() { Flags::MASKED } else { Flags::default() };
            Vector { x: 0.0, y: 0.0, dx, dy, correlation: 1.0, peak_ratio: 2.0, flags }
        };
        VectorField { nx: values.len(), ny: 1, vectors: values.iter().map(vector).collect() }
    }

    #[test]
    fn piv_spectrum_has_the_energy_of_the_fluctuations_at_their_frequencies() {
        let mut spectrum = Spectrum::new(64).unwrap();
        let mut rng = fastrand::Rng::with_seed(4);
        let tau = std::f64::consts::TAU;
        for t in 0..1000 {
            let time = f64::from(t);
            let wave = |phase: f64| 9.0 + 0.6 * (tau * time * 5.0 / 64.0 + phase).sin();
            let noise = (rng.f64() - 0.5) * 12_f64.sqrt() * 0.2;
            spectrum.add(&field(&[[wave(0.0), noise], [wave(1.0), noise], [f64::NAN, f64::NAN]])).unwrap();
            assert!(spectrum.fields.len() < 64, "the memory is that of a segment");
        }
        assert_eq!(spectrum.segments(), 30);
        let lines = spectrum.lines();
        let sum = |value: fn(&SpectralLine) -> f64| lines.iter().map(value).sum::<f64>() / 64.0;
        assert!((sum(|line| line.dx) / 0.18 - 1.0).abs() < 0.01, "half of the squared amplitude");
        assert!((sum(|line| line.dy) / 0.04 - 1.0).abs() < 0.15, "the variance of the noise");
        let highest = lines.iter().max_by(|a, b| a.dx.total_cmp(&b.dx)).unwrap();
        assert_eq!(highest.frequency, 5.0 / 64.0);
        // Noise is as strong at all frequencies: 0.04 px² over 0.5.
        let middle: f64 = lines[8..24].iter().map(|line| line.dy).sum::<f64>() / 16.0;
        assert!((middle / 0.08 - 1.0).abs() < 0.2, "{middle}");
    }

    #[test]
    fn piv_spectrum_of_little_and_of_wrong_input() {
        assert!(Spectrum::new(2).is_err() && Spectrum::new(33).is_err());
        let mut spectrum = Spectrum::new(8).unwrap();
        for _ in 0..7 {
            spectrum.add(&field(&[[1.0, 2.0]])).unwrap();
        }
        assert!(spectrum.lines().is_empty() && spectrum.add(&VectorField::default()).is_err());
        spectrum.add(&field(&[[1.0, 2.0]])).unwrap();
        assert!(spectrum.lines().iter().all(|line| line.dx == 0.0 && line.dy == 0.0));
    }
}
