//! Frame, ticks, titles and the colour bar.

use super::{
    Plot,
    arrows::Scale,
    canvas::{Align, Canvas, Frame},
    colors::{Rgb, colormap},
    ticks::ticks,
};

const TICK: f32 = 5.0;
const SMALL: f32 = 13.0;
const NORMAL: f32 = 14.5;
const LARGE: f32 = 19.0;

pub fn draw(canvas: &mut Canvas, frame: &Frame, plot: &Plot<'_>, scale: &Scale) {
    canvas.outline(frame.left, frame.top, frame.width, frame.height, Rgb::INK);
    draw_x(canvas, frame, plot.size.0 as f32);
    draw_y(canvas, frame, plot.size.1 as f32);
    draw_titles(canvas, frame, plot, scale);
    draw_bar(canvas, frame, scale);
}

fn draw_x(canvas: &mut Canvas, frame: &Frame, end: f32) {
    let (values, decimals) = ticks(end - 1.0, (frame.width / 110.0).ceil() as usize);
    for value in values {
        let (x, bottom) = (frame.place(value, 0.0).0, frame.bottom());
        canvas.line((x, bottom), (x, bottom + TICK), 1.0, Rgb::INK);
        let label = format!("{value:.decimals$}");
        canvas.text(&label, (x, bottom + 21.0), SMALL, Align::Middle, 100.0);
    }
    let middle = frame.left + frame.width / 2.0;
    canvas.text("x (px)", (middle, frame.bottom() + 45.0), NORMAL, Align::Middle, frame.width);
}

fn draw_y(canvas: &mut Canvas, frame: &Frame, end: f32) {
    let (values, decimals) = ticks(end - 1.0, (frame.height / 90.0).ceil() as usize);
    for value in values {
        let (left, y) = (frame.left, frame.place(0.0, value).1);
        canvas.line((left - TICK, y), (left, y), 1.0, Rgb::INK);
        let label = format!("{value:.decimals$}");
        canvas.text(&label, (left - 9.0, y + 4.6), SMALL, Align::Right, 45.0);
    }
    let middle = frame.top + frame.height / 2.0;
    canvas.text_upwards("y (px)", (frame.left - 54.0, middle), NORMAL);
}

fn draw_titles(canvas: &mut Canvas, frame: &Frame, plot: &Plot<'_>, scale: &Scale) {
    let room = frame.page.0 - frame.left - 12.0;
    canvas.text(plot.title, (frame.left, 32.0), LARGE, Align::Left, room);
    let mut subtitle = plot.subtitle.to_owned();
    if !subtitle.is_empty() {
        subtitle.push_str("  ·  ");
    }
    subtitle.push_str(&format!("arrows × {}", short(scale.stretch)));
    if scale.every > 1 {
        subtitle.push_str(&format!(", 1 in {} × {} drawn", scale.every, scale.every));
    }
    if plot.arrows.iter().any(|arrow| !arrow.valid) {
        subtitle.push_str("  ·  red: not valid");
    }
    canvas.text(&subtitle, (frame.left, 56.0), SMALL, Align::Left, room);
}

/// A number with about two digits.
fn short(value: f32) -> String {
    match value {
        value if value >= 9.5 => format!("{value:.0}"),
        value if value >= 0.95 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The scale of colours, right of the image; a tip at its end says that longer vectors exist.
fn draw_bar(canvas: &mut Canvas, frame: &Frame, scale: &Scale) {
    let (left, width, top) = (frame.right() + 22.0, 16.0, frame.top);
    let height = frame.height;
    let steps = height as usize;
    for step in 0..steps {
        let value = 1.0 - (step as f32 + 0.5) / steps as f32;
        // One unit more than the step, so that no seam shows between two.
        let y = top + step as f32 * height / steps as f32;
        let tall = (height / steps as f32 + 1.0).min(top + height - y);
        canvas.rectangle(left, y, width, tall, colormap(value));
    }
    canvas.outline(left, top, width, height, Rgb::INK);
    if scale.exceeded {
        let tip = [(left, top - 3.0), (left + width, top - 3.0), (left + width / 2.0, top - 14.0)];
        canvas.polygon(&tip, colormap(1.0));
    }
    let (values, decimals) = ticks(scale.full, (height / 90.0).ceil() as usize);
    let right = left + width;
    for value in values {
        let y = top + height * (1.0 - value / scale.full);
        canvas.line((right, y), (right + TICK, y), 1.0, Rgb::INK);
        let label = format!("{value:.decimals$}");
        canvas.text(&label, (right + 9.0, y + 4.6), SMALL, Align::Left, 45.0);
    }
    let middle = (right + 62.0, top + height / 2.0);
    canvas.text_upwards("displacement (px)", middle, NORMAL);
}
