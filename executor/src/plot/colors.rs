//! Colours.

use tiny_skia::Color;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    pub const WHITE: Rgb = Rgb(255, 255, 255);
    /// Text and lines.
    pub const INK: Rgb = Rgb(34, 34, 40);
    /// Vectors that are not to be trusted.
    pub const FLAGGED: Rgb = Rgb(255, 70, 60);

    pub fn opaque(self) -> Color {
        Color::from_rgba8(self.0, self.1, self.2, 255)
    }
}

/// Viridis at every eighth of its length (Smith, van der Walt and Firing, released under CC0):
/// equal steps look equal, also in grey and to the colour-blind.
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

/// Where the colour scale begins in viridis: its darkest part would vanish in the dark image.
const START: f32 = 0.3;

/// The colour of a value between 0 and 1; values outside get the ends' colours.
pub fn colormap(value: f32) -> Rgb {
    let at = START + (1.0 - START) * value.clamp(0.0, 1.0);
    let position = at * (VIRIDIS.len() - 1) as f32;
    let index = (position as usize).min(VIRIDIS.len() - 2);
    let part = position - index as f32;
    let (a, b) = (VIRIDIS[index], VIRIDIS[index + 1]);
    let mix = |a: u8, b: u8| (f32::from(a) + part * (f32::from(b) - f32::from(a))).round() as u8;
    Rgb(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_reached_and_not_left() {
        assert_eq!(colormap(1.0), VIRIDIS[8]);
        assert_eq!(colormap(7.0), VIRIDIS[8]);
        assert_eq!(colormap(-1.0), colormap(0.0));
        assert_eq!(colormap(f32::NAN), colormap(f32::NAN));
    }
}
