//! Grids of coloured cells.

use super::{canvas::Canvas, colors::Rgb, frame::Frame};

/// The distance of hatching lines on the page.
const HATCHING: f32 = 7.0;

/// What a cell shows.
#[derive(Clone, Copy)]
pub enum Cell {
    /// A value's colour.
    Filled(Rgb),
    /// Grey and hatched, because the value is not valid.
    Hatched,
}

/// The edges of cells whose centres are given. The outer edges are half a step beyond the outer centres. A single cell
/// has the width `single`.
pub fn edges(centres: &[f32], single: f32) -> Vec<f32> {
    let [first, .., last] = centres else {
        return centres.iter().flat_map(|centre| [centre - 0.5 * single, centre + 0.5 * single]).collect();
    };
    let between: Vec<f32> = centres.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
    let start = 2.0 * first - between[0];
    let end = 2.0 * last - between[between.len() - 1];
    [vec![start], between, vec![end]].concat()
}

/// Draws a grid of cells between the given edges, row by row.
pub fn draw(canvas: &mut Canvas, frame: &Frame, columns: &[f32], rows: &[f32], cell: impl Fn(usize) -> Cell) {
    let count = columns.len() - 1;
    for (j, row) in rows.windows(2).enumerate() {
        for (i, column) in columns.windows(2).enumerate() {
            let (left, top) = inside(frame, frame.place(column[0], row[0]));
            let (right, bottom) = inside(frame, frame.place(column[1], row[1]));
            match cell(j * count + i) {
                Cell::Filled(color) => canvas.rectangle(left, top, right - left, bottom - top, color),
                Cell::Hatched => hatch(canvas, [left, top, right, bottom]),
            }
        }
    }
}

/// A place within the frame, in whole page units. So cells neither overlap nor leave gaps.
fn inside(frame: &Frame, (x, y): (f32, f32)) -> (f32, f32) {
    (x.clamp(frame.left, frame.right()).round(), y.clamp(frame.top, frame.bottom()).round())
}

/// Draws lines that rise to the right and continue from cell to cell.
fn hatch(canvas: &mut Canvas, [left, top, right, bottom]: [f32; 4]) {
    canvas.rectangle(left, top, right - left, bottom - top, Rgb::DOUBTFUL);
    let first = ((left + top) / HATCHING).ceil() as i64;
    let last = ((right + bottom) / HATCHING).floor() as i64;
    for index in first..=last {
        // Points of one line have the same sum of coordinates.
        let sum = index as f32 * HATCHING;
        let lower = (left.max(sum - bottom), bottom.min(sum - left));
        let upper = (right.min(sum - top), top.max(sum - right));
        canvas.line(lower, upper, 1.0, Rgb::HATCHING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_lie_between_the_centres() {
        assert_eq!(edges(&[15.5, 31.5, 47.5], 1.0), [7.5, 23.5, 39.5, 55.5]);
        assert_eq!(edges(&[3.0], 2.0), [2.0, 4.0]);
        assert_eq!(edges(&[], 1.0), [0.0; 0]);
    }
}
