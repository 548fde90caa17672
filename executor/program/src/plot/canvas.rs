//! The page, and the shapes that a plot is made of.

use tiny_skia::{
    FillRule, FilterQuality, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Rect, Stroke,
    Transform,
};

use super::{PlotError, colors::Rgb, text::Font};

/// Sizes of letters.
pub const SMALL: f32 = 13.0;
pub const NORMAL: f32 = 14.5;
pub const LARGE: f32 = 19.0;
/// Pixels of an image are squares from this size on. Smaller pixels are interpolated.
const SQUARE_PIXELS: f32 = 4.0;

/// The side of a text on which its point is.
#[derive(Clone, Copy)]
pub enum Align {
    Left,
    Middle,
    Right,
}

/// A page that is drawn on.
pub struct Canvas {
    pixels: Pixmap,
    font: Font,
}

impl Canvas {
    /// A white page.
    pub fn new((width, height): (f32, f32)) -> Result<Canvas, PlotError> {
        let (width, height) = (width.ceil() as u32, height.ceil() as u32);
        let mut pixels =
            Pixmap::new(width, height).ok_or_else(|| PlotError(format!("no page of {width} x {height}")))?;
        pixels.fill(Rgb::WHITE.opaque());
        let font = Font::load()?;
        Ok(Canvas { pixels, font })
    }

    pub fn width(&self) -> f32 {
        self.pixels.width() as f32
    }

    pub fn into_png(self) -> Result<Vec<u8>, PlotError> {
        self.pixels.encode_png().map_err(|error| PlotError(error.to_string()))
    }

    /// Draws a picture over a part of the page.
    pub fn picture(&mut self, picture: &Pixmap, left: f32, top: f32, width: f32, height: f32) {
        let (scale_x, scale_y) = (width / picture.width() as f32, height / picture.height() as f32);
        let place = Transform::from_scale(scale_x, scale_y).post_translate(left, top);
        let squares = scale_x.min(scale_y) >= SQUARE_PIXELS;
        let quality = if squares { FilterQuality::Nearest } else { FilterQuality::Bilinear };
        let paint = PixmapPaint { quality, ..PixmapPaint::default() };
        self.pixels.draw_pixmap(0, 0, picture.as_ref(), &paint, place, None);
    }

    pub fn rectangle(&mut self, left: f32, top: f32, width: f32, height: f32, color: Rgb) {
        if let Some(rectangle) = Rect::from_xywh(left, top, width, height) {
            self.pixels.fill_rect(rectangle, &paint(color), Transform::identity(), None);
        }
    }

    pub fn outline(&mut self, left: f32, top: f32, width: f32, height: f32, color: Rgb) {
        if let Some(rectangle) = Rect::from_xywh(left, top, width, height) {
            let stroke = Stroke::default();
            let path = PathBuilder::from_rect(rectangle);
            self.pixels.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
        }
    }

    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, color: Rgb) {
        let mut path = PathBuilder::new();
        path.move_to(from.0, from.1);
        path.line_to(to.0, to.1);
        let stroke = Stroke { width, line_cap: LineCap::Round, ..Stroke::default() };
        if let Some(path) = path.finish() {
            self.pixels.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
        }
    }

    pub fn polygon(&mut self, points: &[(f32, f32)], color: Rgb) {
        if let Some(path) = closed(points) {
            let paint = paint(color);
            self.pixels.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        }
    }

    /// The outline of a polygon.
    pub fn outline_of(&mut self, points: &[(f32, f32)], width: f32, color: Rgb) {
        if let Some(path) = closed(points) {
            let stroke = Stroke { width, line_join: LineJoin::Round, ..Stroke::default() };
            self.pixels.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
        }
    }

    pub fn ring(&mut self, centre: (f32, f32), radius: f32, width: f32, color: Rgb) {
        if let Some(path) = PathBuilder::from_circle(centre.0, centre.1, radius) {
            let stroke = Stroke { width, ..Stroke::default() };
            self.pixels.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
        }
    }

    /// Writes one line of text. `at` is on the base line. A text that is wider than `room` is written smaller.
    pub fn text(&mut self, text: &str, at: (f32, f32), size: f32, align: Align, room: f32) {
        let size = size * (room / self.font.width(text, size).max(1.0)).min(1.0);
        let shift = match align {
            Align::Left => 0.0,
            Align::Middle => self.font.width(text, size) / 2.0,
            Align::Right => self.font.width(text, size),
        };
        let place = Transform::from_translate(at.0 - shift, at.1);
        self.write(text, size, place);
    }

    /// Writes text that runs upwards, centred on `at`.
    pub fn text_upwards(&mut self, text: &str, at: (f32, f32), size: f32) {
        let shift = Transform::from_translate(-self.font.width(text, size) / 2.0, 0.0);
        let place = shift.post_rotate(-90.0).post_translate(at.0, at.1);
        self.write(text, size, place);
    }

    fn write(&mut self, text: &str, size: f32, place: Transform) {
        if let Some(path) = self.font.outline(text, size) {
            self.pixels.fill_path(&path, &paint(Rgb::INK), FillRule::Winding, place, None);
        }
    }
}

fn closed(points: &[(f32, f32)]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (index, (x, y)) in points.iter().enumerate() {
        match index {
            0 => path.move_to(*x, *y),
            _ => path.line_to(*x, *y),
        }
    }
    path.close();
    path.finish()
}

fn paint(color: Rgb) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(color.opaque());
    paint
}
