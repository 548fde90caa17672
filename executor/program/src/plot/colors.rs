//! Colours.

use tiny_skia::Color;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    pub const WHITE: Rgb = Rgb(255, 255, 255);
    /// Text and lines.
    pub const INK: Rgb = Rgb(34, 34, 40);
    /// Vectors that are not valid, and other marks that must be seen.
    pub const INVALID: Rgb = Rgb(255, 70, 60);
    /// Where nothing was measured.
    pub const EMPTY: Rgb = Rgb(238, 238, 240);
    /// The ground and the lines of cells that are not valid.
    pub const DOUBTFUL: Rgb = Rgb(200, 200, 204);
    pub const HATCHING: Rgb = Rgb(120, 120, 128);

    pub fn opaque(self) -> Color {
        Color::from_rgba8(self.0, self.1, self.2, 255)
    }
}

/// The colour map viridis at every eighth of its length (Smith, van der Walt and Firing, released under CC0). Equal
/// steps look equal, also in grey and for people who are colour-blind.
const VIRIDIS: [Rgb; 9] = [
    Rgb(0x44, 0x01, 0x54),
    Rgb(0x47, 0x2d, 0x7b),
    Rgb(0x3b, 0x52, 0x8b),
    Rgb(0x2c, 0x72, 0x8e),
    Rgb(0x21, 0x91, 0x8c),
    Rgb(0x28, 0xae, 0x80),
    Rgb(0x5e, 0xc9, 0x62),
    Rgb(0xad, 0xdc, 0x30),
    Rgb(0xfd, 0xe7, 0x25),
];

/// Where the colours for a dark image begin in viridis. Its darkest part could not be seen there.
const START_ON_DARK: f32 = 0.3;

/// The colour of a value between 0 and 1. Values outside have the colour of the nearer end.
pub fn viridis(value: f32) -> Rgb {
    let position = value.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f32;
    let index = (position as usize).min(VIRIDIS.len() - 2);
    let part = position - index as f32;
    let (a, b) = (VIRIDIS[index], VIRIDIS[index + 1]);
    let mix = |a: u8, b: u8| (f32::from(a) + part * (f32::from(b) - f32::from(a))).round() as u8;
    Rgb(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// As [`viridis`], for a dark image.
pub fn on_dark(value: f32) -> Rgb {
    viridis(START_ON_DARK + (1.0 - START_ON_DARK) * value.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_reached_and_not_left() {
        for color in [viridis, on_dark] {
            assert_eq!(color(1.0), VIRIDIS[8]);
            assert_eq!(color(7.0), VIRIDIS[8]);
            assert_eq!(color(-1.0), color(0.0));
            assert_eq!(color(f32::NAN), color(f32::NAN));
        }
        assert_eq!(viridis(0.0), VIRIDIS[0]);
    }

    #[test]
    fn brightness_grows_with_the_value() {
        let brightness = |step: u8| {
            let Rgb(r, g, b) = viridis(f32::from(step) / 100.0);
            0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b)
        };
        assert!((0..100).all(|step| brightness(step) < brightness(step + 1)));
    }
}
