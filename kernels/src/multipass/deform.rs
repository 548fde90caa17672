//! Images deformed by a displacement field.
//!
//! Pixels between pixels are interpolated by cubic B-splines: of the kernels of their size the one with the
//! least error on particle images (Astarita and Cardone 2005, *Experiments in Fluids* 38, 233-243). A
//! B-spline's coefficients come from the pixels by a recursive filter, once for each image (Unser,
//! Aldroubi and Eden 1993).

use crate::{Image, tps::Axis};

/// Pole of the filter that turns samples into coefficients of cubic B-splines: the root of 3, less 2.
const POLE: f32 = -0.267_949_2;
/// Where the powers of the pole have fallen below the precision of `f32`.
const HORIZON: usize = 14;

/// The coefficients of an image.
pub(crate) struct Coefficients {
    width: usize,
    height: usize,
    data: Vec<f32>,
}

impl Coefficients {
    pub(crate) fn new(width: usize, height: usize) -> Coefficients {
        Coefficients { width, height, data: vec![0.0; width * height] }
    }

    /// Fills in the coefficients of an image of the same size.
    pub(crate) fn fit(&mut self, image: &Image) {
        self.data.copy_from_slice(image.data());
        for row in self.data.chunks_exact_mut(self.width) {
            filter_row(row);
        }
        filter_columns(&mut self.data, self.width);
    }

    /// The spline between the pixels. Beyond the border the image goes on as its outermost coefficients.
    #[inline]
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let (column, row) = (floor(x), floor(y));
        let (horizontal, vertical) = (weights(x - column as f32), weights(y - row as f32));
        let mut sum = 0.0;
        let inside = |first: i32, length: usize| first >= 1 && first + 2 < length as i32;
        if inside(column, self.width) && inside(row, self.height) {
            let first = (row as usize - 1) * self.width + column as usize - 1;
            let lines = &self.data[first..first + 3 * self.width + 4];
            // Down the columns first: four sums side by side.
            let mut columns = [0.0; 4];
            for (line, weight) in lines.chunks(self.width).zip(vertical) {
                let line: &[f32; 4] = line.first_chunk().unwrap_or(&[0.0; 4]);
                for (sum, value) in columns.iter_mut().zip(line) {
                    *sum += weight * value;
                }
            }
            for (column, weight) in columns.iter().zip(horizontal) {
                sum += weight * column;
            }
        } else {
            let clip = |at: i32, length: usize| at.clamp(0, length as i32 - 1) as usize;
            for (j, weight) in (-1..).zip(vertical) {
                let line = &self.data[clip(row.saturating_add(j), self.height) * self.width..][..self.width];
                let value = |i: i32| line[clip(column.saturating_add(i), self.width)];
                let across: f32 = (-1..).zip(horizontal).map(|(i, weight)| value(i) * weight).sum();
                sum += weight * across;
            }
        }
        sum
    }
}

fn floor(x: f32) -> i32 {
    // Without the instruction of SSE 4.1, `f32::floor` is a call.
    let truncated = x as i32;
    truncated - i32::from((truncated as f32) > x)
}

/// The cubic B-spline at the distances of four neighbours from a point `t` after the second.
#[inline]
fn weights(t: f32) -> [f32; 4] {
    let s = 1.0 - t;
    let inner = |t: f32| 2.0 / 3.0 - 0.5 * t * t * (2.0 - t);
    [s * s * s / 6.0, inner(t), inner(s), t * t * t / 6.0]
}

/// From samples to coefficients: a recursion there and one back.
fn filter_row(row: &mut [f32]) {
    let count = row.len();
    if count < 2 {
        return;
    }
    let start: f32 = row.iter().take(HORIZON).zip(0..).map(|(value, k)| value * POLE.powi(k)).sum();
    row[0] = start;
    for i in 1..count {
        row[i] += POLE * row[i - 1];
    }
    row[count - 1] = POLE / (POLE * POLE - 1.0) * (row[count - 1] + POLE * row[count - 2]);
    for i in (0..count - 1).rev() {
        row[i] = POLE * (row[i + 1] - row[i]);
    }
    row.iter_mut().for_each(|value| *value *= 6.0);
}

/// The same down all columns at once, row by row, as neighbours in a row do not depend on each other.
fn filter_columns(data: &mut [f32], width: usize) {
    let count = data.len() / width;
    if count < 2 {
        return;
    }
    let (first, rest) = data.split_at_mut(width);
    for (row, k) in rest.chunks_exact(width).take(HORIZON - 1).zip(1..) {
        first.iter_mut().zip(row).for_each(|(sum, value)| *sum += POLE.powi(k) * value);
    }
    for i in 1..count {
        let (before, after) = data.split_at_mut(i * width);
        let before = &before[(i - 1) * width..];
        after[..width].iter_mut().zip(before).for_each(|(value, before)| *value += POLE * before);
    }
    let (before, last) = data.split_at_mut((count - 1) * width);
    for (value, before) in last.iter_mut().zip(&before[(count - 2) * width..]) {
        *value = POLE / (POLE * POLE - 1.0) * (*value + POLE * before);
    }
    for i in (0..count - 1).rev() {
        let (row, after) = data[i * width..].split_at_mut(width);
        row.iter_mut().zip(&after[..width]).for_each(|(value, after)| *value = POLE * (after - *value));
    }
    data.iter_mut().for_each(|value| *value *= 6.0);
}

/// Deforms images of one size by fields on one grid.
pub(super) struct Deformer {
    /// For each column of pixels and each row of pixels the node before it and the way to the next, 0 to 1.
    places: [Vec<(usize, f32)>; 2],
    columns: usize,
    /// Displacements along one row of pixels, at the nodes' columns.
    line: Vec<[f32; 2]>,
}

impl Deformer {
    pub(super) fn new([x, y]: [Axis; 2], width: usize, height: usize) -> Deformer {
        let place = |axis: Axis, pixel: usize| {
            // Beyond the outermost nodes the displacement stays what it is there.
            let last = axis.count.saturating_sub(1);
            let at = ((pixel as f64 - axis.start) / axis.step).clamp(0.0, last as f64);
            let node = (at as usize).min(last.saturating_sub(1));
            (node, (at - node as f64) as f32)
        };
        let places = [
            (0..width).map(|pixel| place(x, pixel)).collect(),
            (0..height).map(|pixel| place(y, pixel)).collect(),
        ];
        Deformer { places, columns: x.count, line: vec![[0.0; 2]; x.count] }
    }

    /// The image as it is `share` of the displacements away: a pixel at `p` shows what is at `p + share d(p)`.
    pub(super) fn deform(
        &mut self,
        coefficients: &Coefficients,
        displacements: &[[f64; 2]],
        share: f32,
        out: &mut Image,
    ) {
        let width = out.width();
        let rows = out.data_mut().chunks_exact_mut(width);
        for ((row, &(node, way)), y) in rows.zip(&self.places[1]).zip(0..) {
            let above = &displacements[node * self.columns..][..self.columns];
            let below = displacements.get((node + 1) * self.columns..).unwrap_or(above);
            for ((value, above), below) in self.line.iter_mut().zip(above).zip(below) {
                *value = [0, 1].map(|i| share * lerp(above[i] as f32, below[i] as f32, way));
            }
            for ((pixel, &(node, way)), x) in row.iter_mut().zip(&self.places[0]).zip(0..) {
                let left = self.line[node];
                let right = self.line.get(node + 1).copied().unwrap_or(left);
                let [dx, dy] = [0, 1].map(|i| lerp(left[i], right[i], way));
                *pixel = coefficients.at(x as f32 + dx, y as f32 + dy);
            }
        }
    }
}

fn lerp(from: f32, to: f32, way: f32) -> f32 {
    from + way * (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spots(x: f64, y: f64) -> f32 {
        (100.0 + 40.0 * (0.9 * x).sin() * (0.7 * y).cos() + 20.0 * (0.4 * (x + y)).cos()) as f32
    }

    #[test]
    fn the_spline_passes_through_the_pixels_and_near_between() {
        let image = Image::from_fn(40, 30, |x, y| spots(x as f64, y as f64));
        let mut coefficients = Coefficients::new(40, 30);
        coefficients.fit(&image);
        for y in 0..30 {
            for x in 0..40 {
                let difference = coefficients.at(x as f32, y as f32) - image.get(x, y).unwrap();
                // At the border the image goes on otherwise than the filter supposes.
                let border = !(1..38).contains(&x) || !(1..28).contains(&y);
                assert!(difference.abs() < if border { 20.0 } else { 0.01 }, "{x} {y}: {difference}");
            }
        }
        let between = coefficients.at(17.3, 12.8) - spots(17.3, 12.8);
        assert!(between.abs() < 0.3, "{between}");
        assert!(coefficients.at(-1e9, 1e9).is_finite());
    }

    #[test]
    fn a_sheared_image_is_put_straight() {
        let axis = |count| Axis { start: 3.5, step: 8.0, count };
        // Node by node: dx grows downwards.
        let displacements: Vec<[f64; 2]> =
            (0..20).map(|i| [0.1 * (3.5 + 8.0 * (i / 5) as f64), -1.3]).collect();
        let sheared = Image::from_fn(40, 32, |x, y| spots(x as f64 - 0.1 * y as f64, y as f64 + 1.3));
        let mut coefficients = Coefficients::new(40, 32);
        coefficients.fit(&sheared);
        let mut out = Image::from_fn(40, 32, |_, _| 0.0);
        Deformer::new([axis(5), axis(4)], 40, 32).deform(&coefficients, &displacements, 1.0, &mut out);
        for (x, y) in [(12, 10), (20, 15), (30, 25)] {
            // The spots at p + d(p) are those of p, less the shear over the vertical displacement.
            let wanted = spots(x as f64 + 0.1 * 1.3, y as f64);
            let found = out.get(x, y).unwrap();
            assert!((found - wanted).abs() < 0.5, "{x} {y}: {found} for {wanted}");
        }
    }
}
