//! The image behind the arrows, darkened so that they stand out.

use tiny_skia::{ColorU8, Pixmap};

use super::{
    Plot,
    canvas::{Canvas, Frame},
};

/// The brightest grey of the background.
const BRIGHTEST: f32 = 112.0;
/// The darkest.
const DARKEST: f32 = 18.0;

pub fn draw(canvas: &mut Canvas, frame: &Frame, plot: &Plot<'_>) {
    let (low, high) = grey_range(plot.image);
    let (width, height) = plot.size;
    // A large image is averaged over blocks first: single pixels picked out of it would glitter.
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
        let value = block_mean(plot, x, y, block);
        let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
        let grey = (DARKEST + part * (BRIGHTEST - DARKEST)) as u8;
        *pixel = ColorU8::from_rgba(grey, grey, grey, 255).premultiply();
    }
    canvas.picture(&picture, frame.left, frame.top, frame.width, frame.height);
}

fn block_mean(plot: &Plot<'_>, x: usize, y: usize, block: usize) -> f32 {
    let (width, height) = plot.size;
    let (mut sum, mut count) = (0.0, 0.0);
    for row in y..(y + block).min(height) {
        for value in &plot.image[row * width + x..row * width + (x + block).min(width)] {
            sum += value;
            count += 1.0;
        }
    }
    sum / count
}

/// The grey values between which the image is shown: a few glaring pixels shall not darken all
/// else.
fn grey_range(image: &[f32]) -> (f32, f32) {
    let step = (image.len() / 20_000).max(1);
    let mut sample: Vec<f32> =
        image.iter().step_by(step).copied().filter(|value| value.is_finite()).collect();
    sample.sort_by(f32::total_cmp);
    let at = |part: f32| sample.get((part * (sample.len().max(1) - 1) as f32) as usize).copied();
    match (at(0.02), at(0.995)) {
        (Some(low), Some(high)) if high > low => (low, high),
        (Some(low), _) => (low, low + 1.0),
        _ => (0.0, 1.0),
    }
}
