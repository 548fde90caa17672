//! The lines above a picture.

use super::{
    arrows::Scale,
    canvas::{Align, Canvas, LARGE, SMALL},
};

/// Writes the title and a smaller line under it.
pub fn draw(canvas: &mut Canvas, left: f32, title: &str, subtitle: &str) {
    let room = canvas.width() - left - 12.0;
    canvas.text(title, (left, 32.0), LARGE, Align::Left, room);
    canvas.text(subtitle, (left, 56.0), SMALL, Align::Left, room);
}

/// A subtitle that also says how arrows are drawn.
pub fn with_arrows(subtitle: &str, scale: &Scale) -> String {
    let mut line = subtitle.to_owned();
    join(&mut line, &format!("arrows × {}", short(scale.stretch)));
    if scale.every > 1 {
        line.push_str(&format!(", 1 in {} × {} drawn", scale.every, scale.every));
    }
    line
}

/// Adds a part to a line.
pub fn join(line: &mut String, part: &str) {
    if !line.is_empty() {
        line.push_str("  ·  ");
    }
    line.push_str(part);
}

/// A number with about two digits.
fn short(value: f32) -> String {
    match value {
        value if value >= 9.5 => format!("{value:.0}"),
        value if value >= 0.95 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
