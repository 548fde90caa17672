//! The page: where things lie on it, and the few shapes that a plot is made of.

use tiny_skia::{FillRule, LineCap, Paint, PathBuilder, Pixmap, PixmapPaint, Rect, Stroke, Transform};

use super::{PlotError, colors::Rgb, text::Font};

/// The longer side of the image on the page, in page units.
const LONG_SIDE: f32 = 880.0;
/// The shorter side is never shorter than this, so that a thin strip stays readable.
const SHORT_SIDE: f32 = 120.0;

/// Where the image lies on the page.
pub struct Frame {
    /// Left and upper edge of the image, in page units.
    pub left: f32,
    pub top: f32,
    /// Size of the image on the page.
    pub width: f32,
    pub height: f32,
    /// Page units a pixel of the image.
    pub scale_x: f32,
    pub scale_y: f32,
    /// Size of the page.
    pub page: (f32, f32),
}

impl Frame {
    pub fn new(image_width: f32, image_height: f32) -> Frame {
        let scale = LONG_SIDE / image_width.max(image_height);
        let width = (image_width * scale).round().max(SHORT_SIDE);
        let height = (image_height * scale).round().max(SHORT_SIDE);
        let (left, top, right, bottom) = (78.0, 72.0, 128.0, 62.0);
        // Titles need some width whatever the image's shape is.
        let page_width = (left + width + right).max(560.0);
        Frame {
            left,
            top,
            width,
            height,
            scale_x: width / image_width,
            scale_y: height / image_height,
            page: (page_width, top + height + bottom),
        }
    }

    /// Where a point of the image lies on the page. Integer coordinates are centres of pixels.
    pub fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.left + (x + 0.5) * self.scale_x, self.top + (y + 0.5) * self.scale_y)
    }

    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }
}

/// Where text stands relative to its point.
#[derive(Clone, Copy)]
pub enum Align {
    Left,
    Middle,
    Right,
}

/// The page, being drawn on.
pub struct Canvas {
    pixels: Pixmap,
    font: Font,
}

impl Canvas {
    pub fn new(frame: &Frame) -> Result<Canvas, PlotError> {
        let (width, height) = (frame.page.0.ceil() as u32, frame.page.1.ceil() as u32);
        let mut pixels =
            Pixmap::new(width, height).ok_or_else(|| PlotError(format!("no page of {width} x {height}")))?;
        pixels.fill(Rgb::WHITE.opaque());
        let font = Font::load()?;
        Ok(Canvas { pixels, font })
    }

    pub fn into_png(self) -> Result<Vec<u8>, PlotError> {
        self.pixels.encode_png().map_err(|error| PlotError(error.to_string()))
    }

    /// Lays a picture over part of the page.
    pub fn picture(&mut self, picture: &Pixmap, left: f32, top: f32, width: f32, height: f32) {
        let (scale_x, scale_y) = (width / picture.width() as f32, height / picture.height() as f32);
        let place = Transform::from_scale(scale_x, scale_y).post_translate(left, top);
        let paint = PixmapPaint { quality: tiny_skia::FilterQuality::Bilinear, ..PixmapPaint::default() };
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
        let mut path = PathBuilder::new();
        for (index, (x, y)) in points.iter().enumerate() {
            match index {
                0 => path.move_to(*x, *y),
                _ => path.line_to(*x, *y),
            }
        }
        path.close();
        if let Some(path) = path.finish() {
            let paint = paint(color);
            self.pixels.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        }
    }

    /// Writes one line of text; `at` is on the base line. Text too wide for `room` is written
    /// smaller.
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

fn paint(color: Rgb) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(color.opaque());
    paint
}
