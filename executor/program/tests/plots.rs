//! Pictures are looked at by eye; here their pixels are, where it is known what they must be.

use terzetto_program::plot::{
    Arrow, CorrelatedWindows, CorrelationPlot, MagnitudePlot, PeakMark, VectorsPlot, draw_correlation,
    draw_magnitude, draw_vectors,
};
use tiny_skia::Pixmap;

type Color = (u8, u8, u8);
/// Both ends of viridis.
const DARKEST: Color = (0x44, 0x01, 0x54);
const BRIGHTEST: Color = (0xfd, 0xe7, 0x25);
/// Where frames begin on the page, and how long the longer side of an image is there.
const LEFT: f32 = 78.0;
const TOP: f32 = 72.0;
const LONG_SIDE: f32 = 880.0;
/// The map of correlations.
const MAP_TOP: f32 = 100.0;
const MAP_SIDE: f32 = 600.0;

struct Picture(Pixmap);

impl Picture {
    fn new(png: Vec<u8>) -> Picture {
        Picture(Pixmap::decode_png(&png).expect("a PNG file"))
    }

    fn color(&self, x: f32, y: f32) -> Color {
        let pixel = self.0.pixel(x as u32, y as u32).expect("on the page");
        (pixel.red(), pixel.green(), pixel.blue())
    }

    /// How many pixels around a place are of a colour.
    fn count(&self, (x, y): (f32, f32), half: f32, color: Color) -> usize {
        let range = |at: f32| (at - half) as u32..=(at + half) as u32;
        let pixels = range(y).flat_map(|y| range(x).map(move |x| (x as f32, y as f32)));
        pixels.filter(|(x, y)| self.color(*x, *y) == color).count()
    }
}

fn arrow(x: f32, y: f32, dx: f32, valid: bool) -> Arrow {
    Arrow { x, y, dx, dy: 0.0, valid }
}

/// A grid of 4 x 3 windows on an image of 80 x 64 pixels, one vector not valid, one no number.
fn vectors() -> Vec<Arrow> {
    let mut vectors: Vec<Arrow> = (0..12)
        .map(|index| arrow(15.5 + 16.0 * (index % 4) as f32, 15.5 + 16.0 * (index / 4) as f32, 2.0, true))
        .collect();
    vectors[0].dx = 0.0;
    vectors[1].dx = 4.0;
    vectors[2].valid = false;
    vectors[3].dx = f32::NAN;
    vectors
}

fn magnitude(vectors: &[Arrow]) -> MagnitudePlot<'_> {
    MagnitudePlot {
        title: "vortex",
        subtitle: "windows of 32 px",
        size: (80, 64),
        grid: (4, 3),
        vectors,
        range: Some((0.0, 4.0)),
        arrows: false,
    }
}

/// Where a point of that image is in the picture.
fn place(x: f32, y: f32) -> (f32, f32) {
    let scale = LONG_SIDE / 80.0;
    (LEFT + (x + 0.5) * scale, TOP + (y + 0.5) * scale)
}

#[test]
fn magnitudes_have_their_colours_in_their_places() {
    let vectors = vectors();
    let picture = Picture::new(draw_magnitude(&magnitude(&vectors)).unwrap());
    assert_eq!((picture.0.width(), picture.0.height()), (78 + 880 + 128, 72 + 704 + 62));
    let at = |x: f32, y: f32| {
        let (x, y) = place(x, y);
        picture.color(x, y)
    };
    // All of a cell, up to a pixel of the image before its edge.
    for (x, y) in [(15.5, 15.5), (8.5, 8.5), (22.5, 22.5)] {
        assert_eq!(at(x, y), DARKEST);
    }
    for (x, y) in [(31.5, 15.5), (24.5, 8.5)] {
        assert_eq!(at(x, y), BRIGHTEST);
    }
    // The middle of viridis.
    assert_eq!(at(31.5, 47.5), (0x21, 0x91, 0x8c));
    // Nothing was measured at the border.
    assert_eq!(at(3.0, 3.0), at(76.0, 60.0));
    assert!(![DARKEST, BRIGHTEST].contains(&at(3.0, 3.0)));
}

#[test]
fn what_is_not_valid_is_hatched() {
    let vectors = vectors();
    let picture = Picture::new(draw_magnitude(&magnitude(&vectors)).unwrap());
    for x in [47.5, 63.5] {
        let (x, y) = place(x, 15.5);
        let mut colors: Vec<Color> = (-20..20).map(|along| picture.color(x + along as f32, y)).collect();
        assert!(colors.iter().all(|(r, g, b)| r.abs_diff(*g) < 10 && g.abs_diff(*b) < 10), "grey");
        colors.sort_unstable();
        colors.dedup();
        assert!(colors.len() >= 2, "and not of one grey: {colors:?}");
    }
}

#[test]
fn arrows_lie_on_the_magnitudes_if_wanted() {
    let mut vectors = vectors();
    vectors[10].valid = false;
    let plot = MagnitudePlot { arrows: true, ..magnitude(&vectors) };
    let picture = Picture::new(draw_magnitude(&plot).unwrap());
    let white = (255, 255, 255);
    assert!(picture.count(place(31.5, 47.5), 40.0, white) > 50, "an arrow");
    assert_eq!(picture.count(place(47.5, 47.5), 40.0, white), 0, "none where the vector is not valid");
}

#[test]
fn colours_span_the_valid_vectors_if_no_range_is_given() {
    let mut vectors = vectors();
    vectors[2].dx = 1000.0;
    let plot = MagnitudePlot { range: None, ..magnitude(&vectors) };
    let picture = Picture::new(draw_magnitude(&plot).unwrap());
    let (x, y) = place(15.5, 15.5);
    assert_eq!(picture.color(x, y), DARKEST);
    // The largest hundredth is beyond the end of the colours: of ten vectors, the largest.
    let (x, y) = place(31.5, 31.5);
    assert_eq!(picture.color(x, y), BRIGHTEST);
}

#[test]
fn a_single_row_of_windows_is_a_map_too() {
    let vectors = &vectors()[..4];
    let plot = MagnitudePlot { grid: (4, 1), size: (80, 32), ..magnitude(vectors) };
    let picture = Picture::new(draw_magnitude(&plot).unwrap());
    let (x, y) = place(15.5, 22.0);
    assert_eq!(picture.color(x, y), DARKEST, "the row is 16 px high, as its cells are wide");
}

#[test]
fn a_field_that_is_no_grid_is_refused() {
    let good = vectors();
    let refused = |plot: MagnitudePlot<'_>| draw_magnitude(&plot).unwrap_err().to_string();
    let plot = magnitude(&good);
    let message = refused(MagnitudePlot { grid: (4, 4), ..plot.clone() });
    assert_eq!(message, "cannot draw the picture: 12 vectors are no grid of 4 x 4");
    assert!(refused(MagnitudePlot { size: (0, 64), ..plot.clone() }).contains("0 x 64"));
    for range in [(1.0, 1.0), (2.0, 1.0), (0.0, f32::NAN), (f32::NEG_INFINITY, 1.0)] {
        assert!(refused(MagnitudePlot { range: Some(range), ..plot.clone() }).contains("no colours"));
    }
    let mut skewed = vectors();
    skewed[5].x += 1.0;
    assert!(refused(magnitude(&skewed)).contains("row by row"));
    let mut turned = vectors();
    turned.reverse();
    assert!(refused(magnitude(&turned)).contains("row by row"));
}

/// A map of 11 x 11 displacements with two peaks, and no number in a corner.
fn correlations() -> Vec<f32> {
    let mut values = vec![0.0; 121];
    values[(5 - 2) * 11 + 5 + 3] = 0.9;
    values[(5 + 3) * 11 + 5 - 4] = 0.4;
    values[120] = f32::NAN;
    values
}

const PEAKS: [PeakMark; 2] =
    [PeakMark { dx: 3.2, dy: -2.1, height: 0.9 }, PeakMark { dx: -4.0, dy: 3.0, height: 0.4 }];

fn correlation(values: &[f32]) -> CorrelationPlot<'_> {
    let subtitle = "window of 32 px at (47.5, 31.5)";
    CorrelationPlot { title: "vortex", subtitle, radius: 5, values, peaks: &PEAKS, windows: None }
}

/// Where a displacement is in the picture.
fn place_of(dx: f32, dy: f32) -> (f32, f32) {
    let scale = MAP_SIDE / 11.0;
    (LEFT + (dx + 5.5) * scale, MAP_TOP + (dy + 5.5) * scale)
}

#[test]
fn the_correlations_and_their_peaks_are_in_their_places() {
    let values = correlations();
    let picture = Picture::new(draw_correlation(&correlation(&values)).unwrap());
    let at = |dx: f32, dy: f32| {
        let (x, y) = place_of(dx, dy);
        picture.color(x, y)
    };
    // Right and up, in a corner of its pixel that no cross covers.
    assert_eq!(at(2.6, -1.65), BRIGHTEST);
    assert_eq!(at(0.0, 0.0), DARKEST);
    assert_eq!(at(-3.0, -2.0), DARKEST, "nothing left");
    let (r, g, b) = at(4.9, 4.9);
    assert!(r.abs_diff(g) < 10 && g.abs_diff(b) < 10, "no number");
    // The crosses' middles.
    assert_eq!(at(3.2, -2.1), (255, 70, 60));
    assert_eq!(at(-4.0, 3.0), (255, 255, 255));
    let plot = CorrelationPlot { peaks: &[], ..correlation(&values) };
    let bare = Picture::new(draw_correlation(&plot).unwrap());
    assert_eq!(bare.count(place_of(3.0, -2.0), 50.0, (255, 70, 60)), 0);
    let far = [PeakMark { dx: 7.0, dy: f32::NAN, height: 0.9 }];
    let plot = CorrelationPlot { peaks: &far, ..correlation(&values) };
    draw_correlation(&plot).expect("a peak beyond the map is not marked");
}

#[test]
fn windows_are_drawn_beside_their_map() {
    let values = correlations();
    let alone = Picture::new(draw_correlation(&correlation(&values)).unwrap());
    let first: Vec<f32> = (0..64).map(|index| f32::from(u8::from(index % 8 < 4))).collect();
    let second: Vec<f32> = first.iter().map(|value| 1.0 - value).collect();
    let windows = Some(CorrelatedWindows { side: 8, first: &first, second: &second });
    let plot = CorrelationPlot { windows, ..correlation(&values) };
    let picture = Picture::new(draw_correlation(&plot).unwrap());
    assert_eq!(picture.0.height(), alone.0.height());
    assert_eq!(picture.0.width(), alone.0.width() + 270);
    // White left of black, and the other way round below.
    let left = LEFT + MAP_SIDE + 140.0;
    let (white, black) = ((255, 255, 255), (0, 0, 0));
    let below = MAP_TOP + MAP_SIDE - 270.0;
    for (top, [at_left, at_right]) in [(MAP_TOP, [white, black]), (below, [black, white])] {
        assert_eq!(picture.color(left + 40.0, top + 100.0), at_left);
        assert_eq!(picture.color(left + 230.0, top + 100.0), at_right);
    }
}

#[test]
fn a_map_that_is_no_square_is_refused() {
    let values = correlations();
    let refused = |plot: CorrelationPlot<'_>| draw_correlation(&plot).unwrap_err().to_string();
    let message = refused(CorrelationPlot { radius: 6, ..correlation(&values) });
    assert_eq!(message, "cannot draw the picture: 121 correlations are no map of displacements up to 6 px");
    assert!(refused(CorrelationPlot { radius: usize::MAX, ..correlation(&values) }).contains("no map"));
    let windows = Some(CorrelatedWindows { side: 3, first: &values[..9], second: &values[..8] });
    assert!(refused(CorrelationPlot { windows, ..correlation(&values) }).contains("8 pixels"));
}

#[test]
fn arrows_lie_on_the_dimmed_image() {
    let image: Vec<f32> = (0..80 * 64).map(|index| if index % 80 < 40 { 0.0 } else { 100.0 }).collect();
    let arrows = [arrow(20.0, 32.0, 3.0, true), arrow(60.0, 32.0, 3.0, false)];
    let plot = VectorsPlot { title: "a", subtitle: "", size: (80, 64), image: &image, arrows: &arrows };
    let picture = Picture::new(draw_vectors(&plot).unwrap());
    let at = |x: f32, y: f32| {
        let (x, y) = place(x, y);
        picture.color(x, y)
    };
    assert_eq!(at(10.0, 5.0), (18, 18, 18));
    assert_eq!(at(70.0, 5.0), (112, 112, 112));
    assert_eq!(at(20.0, 32.0), BRIGHTEST);
    assert_eq!(at(60.0, 32.0), (255, 70, 60));
    let message = draw_vectors(&VectorsPlot { size: (80, 63), ..plot }).unwrap_err().to_string();
    assert_eq!(message, "cannot draw the picture: 5120 pixels are no image of 80 x 63");
}
