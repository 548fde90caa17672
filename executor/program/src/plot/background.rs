//! Grey images: behind the arrows, and as windows beside a correlation map.

use tiny_skia::{ColorU8, Pixmap};

use super::{PlotError, canvas::Canvas, frame::Frame, quantile};

/// The darkest and the brightest grey of an image.
type Tones = (f32, f32);

/// A dark image, on which arrows can be seen.
pub const DIMMED: Tones = (18.0, 112.0);
/// An image that is shown for itself.
pub const FULL: Tones = (0.0, 255.0);

/// Checks that an image has pixels, and as many as its size says.
pub fn check(image: &[f32], (width, height): (usize, usize)) -> Result<(), PlotError> {
    let fits = width > 0 && height > 0 && width.checked_mul(height) == Some(image.len());
    PlotError::check(fits, || format!("{} pixels are no image of {width} x {height}", image.len()))
}

/// Draws an image into a frame.
pub fn draw(
    canvas: &mut Canvas,
    frame: &Frame,
    image: &[f32],
    (width, height): (usize, usize),
    tones: Tones,
) {
    let (low, high) = grey_range(image);
    // A large image is averaged over blocks first. Single pixels picked out of it would look like noise.
    let block = ((1.0 / frame.scale_x.min(frame.scale_y)) as usize).max(1);
    let (columns, rows) = (width.div_ceil(block), height.div_ceil(block));
    let (Ok(page_columns), Ok(page_rows)) = (u32::try_from(columns), u32::try_from(rows)) else {
        return;
    };
    let Some(mut picture) = Pixmap::new(page_columns, page_rows) else {
        return;
    };
    for (index, pixel) in picture.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (index % columns * block, index / columns * block);
        let value = block_mean(image, (width, height), (x, y), block);
        let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
        let grey = (tones.0 + part * (tones.1 - tones.0)) as u8;
        *pixel = ColorU8::from_rgba(grey, grey, grey, 255).premultiply();
    }
    canvas.picture(&picture, frame.left, frame.top, frame.width, frame.height);
}

fn block_mean(image: &[f32], (width, height): (usize, usize), (x, y): (usize, usize), block: usize) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for row in y..(y + block).min(height) {
        for value in &image[row * width + x..row * width + (x + block).min(width)] {
            sum += value;
            count += 1.0;
        }
    }
    sum / count
}

/// The range of grey values that is shown. A few very bright pixels must not darken the rest.
fn grey_range(image: &[f32]) -> (f32, f32) {
    let step = (image.len() / 20_000).max(1);
    let mut sample: Vec<f32> =
        image.iter().step_by(step).copied().filter(|value| value.is_finite()).collect();
    sample.sort_by(f32::total_cmp);
    match (quantile(&sample, 0.02), quantile(&sample, 0.995)) {
        (Some(low), Some(high)) if high > low => (low, high),
        (Some(low), _) => (low, low + 1.0),
        _ => (0.0, 1.0),
    }
}
