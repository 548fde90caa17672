//! Frames: rectangles of the page with coordinates.

/// The longer side of an image on the page, in page units.
const LONG_SIDE: f32 = 880.0;
/// The smallest length of the shorter side. So a thin strip can be read, too.
const SHORT_SIDE: f32 = 120.0;
/// The room around a frame: for the axis to the left, the titles above, the color bar to the right, the axis below.
const LEFT: f32 = 78.0;
const TOP: f32 = 72.0;
const RIGHT: f32 = 128.0;
const BOTTOM: f32 = 62.0;
/// The smallest width of a page. Titles need it, whatever the shape of the frame.
const LEAST_WIDTH: f32 = 560.0;

/// A rectangle of the page, and the coordinates in it.
pub struct Frame {
    /// Left and upper edge, in page units.
    pub left: f32,
    pub top: f32,
    /// Size on the page.
    pub width: f32,
    pub height: f32,
    /// The coordinates at the left and upper edge.
    pub start: (f32, f32),
    /// Page units for one unit of the coordinates.
    pub scale_x: f32,
    pub scale_y: f32,
}

impl Frame {
    /// The frame of an image. Integer coordinates are the centres of pixels.
    pub fn of_image((columns, rows): (usize, usize)) -> Frame {
        let (columns, rows) = (columns as f32, rows as f32);
        let scale = LONG_SIDE / columns.max(rows);
        let width = (columns * scale).round().max(SHORT_SIDE);
        let height = (rows * scale).round().max(SHORT_SIDE);
        let (scale_x, scale_y) = (width / columns, height / rows);
        Frame { left: LEFT, top: TOP, width, height, start: (-0.5, -0.5), scale_x, scale_y }
    }

    /// A square with its upper left corner at a place of the page. Its coordinates start at `start` and span `cells`.
    pub fn square((left, top): (f32, f32), side: f32, start: f32, cells: f32) -> Frame {
        let scale = side / cells;
        Frame { left, top, width: side, height: side, start: (start, start), scale_x: scale, scale_y: scale }
    }

    /// The place of a point on the page.
    pub fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.left + (x - self.start.0) * self.scale_x, self.top + (y - self.start.1) * self.scale_y)
    }

    /// The coordinates at the right and lower edge.
    pub fn end(&self) -> (f32, f32) {
        (self.start.0 + self.width / self.scale_x, self.start.1 + self.height / self.scale_y)
    }

    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }
}

/// The size of a page with one frame, its axes, titles and color bar.
pub fn page_around(frame: &Frame) -> (f32, f32) {
    ((frame.right() + RIGHT).max(LEAST_WIDTH), frame.bottom() + BOTTOM)
}
