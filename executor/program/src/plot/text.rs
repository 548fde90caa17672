//! Letters as paths. The font is a small part of DejaVu Sans. It is in the program, so pictures do not
//! depend on the fonts of the machine.

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

use super::PlotError;

const FONT: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");

/// The font of the plots.
pub struct Font(Face<'static>);

impl Font {
    pub fn load() -> Result<Font, PlotError> {
        let face = Face::parse(FONT, 0).map_err(|error| PlotError(format!("the font: {error}")))?;
        Ok(Font(face))
    }

    /// The width of a line of text in page units. `size` is the size of the font's em square.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|letter| self.advance(self.glyph(letter), size)).sum()
    }

    /// The outline of a text. It starts at the origin, the base line is the x axis, and y is downwards.
    pub fn outline(&self, text: &str, size: f32) -> Option<Path> {
        let mut pen = Pen { path: PathBuilder::new(), x: 0.0, scale: self.scale(size) };
        for letter in text.chars() {
            let glyph = self.glyph(letter);
            // A space has no outline.
            self.0.outline_glyph(glyph, &mut pen);
            pen.x += self.advance(glyph, size);
        }
        pen.path.finish()
    }

    /// The glyph of a letter. For letters that the font lacks, it is glyph 0, the font's sign for that.
    fn glyph(&self, letter: char) -> GlyphId {
        self.0.glyph_index(letter).unwrap_or(GlyphId(0))
    }

    fn advance(&self, glyph: GlyphId, size: f32) -> f32 {
        f32::from(self.0.glyph_hor_advance(glyph).unwrap_or(0)) * self.scale(size)
    }

    fn scale(&self, size: f32) -> f32 {
        size / f32::from(self.0.units_per_em())
    }
}

/// Draws glyphs into a path. In a font, y is upwards; on the page, it is downwards.
struct Pen {
    path: PathBuilder,
    x: f32,
    scale: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_letters_of_a_plot() {
        let font = Font::load().expect("the font is in the program");
        for letter in "azAZ09 .,:;-_()[]/%|×−°²·→…".chars() {
            assert!(font.0.glyph_index(letter).is_some(), "{letter:?}");
        }
        assert!(font.width("mm", 20.0) > font.width("ii", 20.0));
        assert!(font.outline("x", 10.0).is_some());
        assert!(font.outline(" ", 10.0).is_none());
    }
}
