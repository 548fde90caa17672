//! Correlation through the Fourier transform, planned once, two couples at a time.
//!
//! Two real windows `a` and `b` are the real and the imaginary part of one complex plane `a + i b`, so
//! that one transform `Z` holds both. Its symmetric parts give the cross spectrum without separating
//! them: `conj(A) B = Im(Z(k) Z(-k)) / 2 + i (|Z(-k)|² - |Z(k)|²) / 4`. The correlation is real, too:
//! those of two couples are the real and imaginary part of one inverse transform. A couple thus costs
//! one and a half complex transforms instead of three.
//!
//! A plane's transform is that of its rows, then of its columns; the spectra stay transposed, so that
//! columns are contiguous when they are transformed, and each transform needs one transposition.

use super::{Couple, map::CorrelationMap};
use rustfft::{Fft, FftPlanner, num_complex::Complex32};
use std::sync::Arc;

pub(super) struct Fourier {
    window: usize,
    /// Side of the transformed plane.
    side: usize,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    /// A plane, row by row.
    plane: Vec<Complex32>,
    /// The spectra of two couples, column by column.
    spectra: [Vec<Complex32>; 2],
    scratch: Vec<Complex32>,
}

const ZERO: Complex32 = Complex32 { re: 0.0, im: 0.0 };

impl Fourier {
    /// Windows of `window` px in planes of `side` px, as large or larger.
    pub(super) fn new(window: usize, side: usize) -> Fourier {
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(side), planner.plan_fft_inverse(side));
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let plane = vec![ZERO; side * side];
        let spectra = [plane.clone(), plane.clone()];
        Fourier { window, side, forward, inverse, plane, spectra, scratch: vec![ZERO; scratch] }
    }

    /// Fills the maps of the couples that are there.
    pub(super) fn correlate(
        &mut self,
        couples: [Option<Couple<'_>>; 2],
        maps: [Option<&mut CorrelationMap>; 2],
    ) {
        for (index, couple) in couples.iter().enumerate() {
            match couple {
                Some(couple) => self.transform(couple, index),
                None => self.spectra[index].fill(ZERO),
            }
        }
        self.multiply();
        let radius = maps.iter().flatten().map(|map| map.radius).max().unwrap_or(0);
        self.transform_back(radius);
        let [first, second] = maps;
        if let (Some(map), Some(_)) = (first, &couples[0]) {
            self.read(map, |value| value.re);
        }
        if let (Some(map), Some(_)) = (second, &couples[1]) {
            self.read(map, |value| value.im);
        }
    }

    /// The transform of `first + i second`, each of norm 1, into a spectrum. A bright window beside a dark one would
    /// leave its rounding errors in the dark one's part.
    fn transform(&mut self, couple: &Couple<'_>, index: usize) {
        let (n, side) = (self.window, self.side);
        assert!(couple.first.len() == n * n && couple.second.len() == n * n, "windows of another size");
        // Rows below the window are zero before and after their transform.
        let (rows, below) = self.plane.split_at_mut(n * side);
        let [scale_first, scale_second] = couple.norms.map(f32::recip);
        let windows = couple.first.chunks_exact(n).zip(couple.second.chunks_exact(n));
        for (row, (first, second)) in rows.chunks_exact_mut(side).zip(windows) {
            for ((value, &re), &im) in row[..n].iter_mut().zip(first).zip(second) {
                *value = Complex32 { re: re * scale_first, im: im * scale_second };
            }
            row[n..].fill(ZERO);
        }
        below.fill(ZERO);
        self.forward.process_with_scratch(rows, &mut self.scratch);
        transpose::transpose(&self.plane, &mut self.spectra[index], side, side);
        self.forward.process_with_scratch(&mut self.spectra[index], &mut self.scratch);
    }

    /// The cross spectra of both couples, the second times `i`, into the first spectrum.
    fn multiply(&mut self) {
        let side = self.side;
        let [first, second] = &mut self.spectra;
        let (first_row, first_rest) = first.split_at_mut(side);
        let (second_row, second_rest) = second.split_at(side);
        multiply_own_opposite(first_row, second_row);
        // A spectrum's value and that at the opposite frequency need each other: rows from both ends.
        let (mut first_rest, mut second_rest) = (first_rest, second_rest);
        while first_rest.len() > side {
            let (first_row, rest) = first_rest.split_at_mut(side);
            let (rest, first_opposite) = rest.split_at_mut(rest.len() - side);
            first_rest = rest;
            let (second_row, rest) = second_rest.split_at(side);
            let (rest, second_opposite) = rest.split_at(rest.len() - side);
            second_rest = rest;
            let [first0, second0] = [first_opposite[0], second_opposite[0]];
            (first_row[0], first_opposite[0]) = cross_two([first_row[0], first0], [second_row[0], second0]);
            let first = first_row[1..].iter_mut().zip(first_opposite[1..].iter_mut().rev());
            let second = second_row[1..].iter().zip(second_opposite[1..].iter().rev());
            for ((here, there), second) in first.zip(second) {
                (*here, *there) = cross_two([*here, *there], [*second.0, *second.1]);
            }
        }
        // The row of half the sampling frequency, if there is one, is opposite to itself like the first.
        if !first_rest.is_empty() {
            multiply_own_opposite(first_rest, second_rest);
        }
    }

    /// The inverse transform, of rows up to displacement `radius` only.
    fn transform_back(&mut self, radius: usize) {
        let side = self.side;
        self.inverse.process_with_scratch(&mut self.spectra[0], &mut self.scratch);
        transpose::transpose(&self.spectra[0], &mut self.plane, side, side);
        let above = radius.min(side / 2);
        self.inverse.process_with_scratch(&mut self.plane[..(above + 1) * side], &mut self.scratch);
        let below = (side - above).max(above + 1) * side;
        self.inverse.process_with_scratch(&mut self.plane[below..], &mut self.scratch);
    }

    /// One part of the plane, with displacement 0 moved from the corner to the middle.
    fn read(&self, map: &mut CorrelationMap, part: impl Fn(Complex32) -> f32 + Copy) {
        let (side, radius) = (self.side, map.radius);
        map.window = Some([self.window; 2]);
        // The transforms there and back multiply by the plane's size.
        let scale = 1.0 / (side * side) as f32;
        let width = 2 * radius + 1;
        for (row, dy) in map.values.chunks_exact_mut(width).zip(-(radius as isize)..) {
            let line = &self.plane[dy.rem_euclid(side as isize) as usize * side..][..side];
            let (left, right) = row.split_at_mut(radius);
            for (value, &point) in left.iter_mut().zip(&line[side - radius..]) {
                *value = part(point) * scale;
            }
            for (value, &point) in right.iter_mut().zip(line) {
                *value = part(point) * scale;
            }
        }
    }
}

/// The same for a row in which the opposite frequencies are the row's own.
fn multiply_own_opposite(first: &mut [Complex32], second: &[Complex32]) {
    let side = first.len();
    for here in 0..=side / 2 {
        let there = (side - here) % side;
        (first[here], first[there]) = cross_two([first[here], first[there]], [second[here], second[there]]);
    }
}

/// The cross spectra of two couples, added up with the second times `i`, at a frequency and at its opposite,
/// from the spectra at both. The correlations being real, opposite cross spectra are conjugate.
#[inline(always)]
fn cross_two(first: [Complex32; 2], second: [Complex32; 2]) -> (Complex32, Complex32) {
    let (re0, im0) = cross(first);
    let (re1, im1) = cross(second);
    (Complex32 { re: re0 - im1, im: im0 + re1 }, Complex32 { re: re0 + im1, im: re1 - im0 })
}

/// The cross spectrum of two real windows from `Z(k)` and `Z(-k)`.
#[inline(always)]
fn cross([here, there]: [Complex32; 2]) -> (f32, f32) {
    let re = 0.5 * (here.re * there.im + here.im * there.re);
    let im = 0.25 * (there.norm_sqr() - here.norm_sqr());
    (re, im)
}
