//! Polygons in a file.

use std::{error::Error, fmt, fs, path::Path};

use serde::{Deserialize, Serialize};
use terzetto_kernels::multipass::Mask;

/// What the inside of the polygons is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inside {
    /// No flow: walls, bodies, reflections.
    #[default]
    Masked,
    /// The flow: everything else is masked.
    Flow,
}

/// Polygons, as a file has them.
///
/// ```
/// use terzetto_program::masks::Polygons;
/// let square = Polygons::parse("[[polygons]]\npoints = [[1, 1], [3, 1], [3, 3], [1, 3]]", "square.toml")?;
/// let mask = square.mask(6, 6);
/// assert!(!mask.is_valid(2, 2) && mask.is_valid(0, 2) && mask.is_valid(4, 2));
/// # Ok::<(), terzetto_program::masks::PolygonsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polygons {
    /// What their inside is.
    #[serde(default)]
    pub inside: Inside,
    /// The polygons, at least one.
    pub polygons: Vec<Polygon>,
}

/// A closed line of straight edges. It may cross itself: what it goes around twice is outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polygon {
    /// Its corners, at least three, px: x to the right, y downwards.
    pub points: Vec<[f64; 2]>,
}

/// A file of polygons that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolygonsError {
    file: String,
    problem: String,
}

impl fmt::Display for PolygonsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.problem)
    }
}

impl Error for PolygonsError {}

/// Does a file hold polygons, by its name?
pub(super) fn is_file_of_polygons(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml") || end.eq_ignore_ascii_case("json"))
}

impl Polygons {
    /// Reads a file in TOML, or in JSON if its name ends so.
    ///
    /// # Errors
    /// [`PolygonsError`] if it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Polygons, PolygonsError> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| PolygonsError {
            file: file.clone(),
            problem: format!("cannot be read: {error}"),
        })?;
        Polygons::parse(&text, &file)
    }

    /// Reads a text. Errors call it `name`; a name that ends in `.json` says that it is JSON.
    ///
    /// # Errors
    /// [`PolygonsError`] for an unknown key, a polygon of fewer than three corners, or a corner that is no number.
    pub fn parse(text: &str, name: &str) -> Result<Polygons, PolygonsError> {
        let failed = |problem: String| PolygonsError { file: name.to_owned(), problem };
        let is_json = name.to_ascii_lowercase().ends_with(".json");
        let found: Polygons = if is_json {
            serde_json::from_str(text).map_err(|error| failed(error.to_string()))?
        } else {
            toml::from_str(text).map_err(|error| failed(error.to_string().trim().replace('\n', " ")))?
        };
        if found.polygons.is_empty() {
            return Err(failed("polygons: [], must be at least one".to_owned()));
        }
        for (index, polygon) in found.polygons.iter().enumerate() {
            let count = polygon.points.len();
            if count < 3 {
                return Err(failed(format!(
                    "polygons[{index}].points: {count} corners, must be at least three"
                )));
            }
            if !polygon.points.iter().flatten().all(|value| value.is_finite()) {
                return Err(failed(format!("polygons[{index}].points: a corner is no number")));
            }
        }
        Ok(found)
    }

    /// The mask for images of `width` by `height` px. A pixel is inside of a polygon if its centre is.
    pub fn mask(&self, width: usize, height: usize) -> Mask {
        let mut inside = vec![false; width * height];
        let mut crossings = Vec::new();
        for polygon in &self.polygons {
            for (y, row) in inside.chunks_exact_mut(width.max(1)).enumerate() {
                polygon.crossings(y as f64, &mut crossings);
                // Between the first crossing and the second one, the third and the fourth.
                for pair in crossings.chunks_exact(2) {
                    let first = (pair[0].ceil().max(0.0) as usize).min(width);
                    let end = ((pair[1].ceil().max(0.0)) as usize).min(width);
                    row[first..end.max(first)].fill(true);
                }
            }
        }
        let is_flow_inside = self.inside == Inside::Flow;
        Mask::from_pixels(width, height, inside.into_iter().map(|inside| inside == is_flow_inside).collect())
    }
}

impl Polygon {
    /// Where the edges cross a row, from left to right. An edge has its upper end, and not its lower one, so that a
    /// corner counts once.
    fn crossings(&self, y: f64, found: &mut Vec<f64>) {
        found.clear();
        for (index, &[x1, y1]) in self.points.iter().enumerate() {
            let [x2, y2] = self.points[(index + 1) % self.points.len()];
            if (y1 <= y) != (y2 <= y) {
                found.push(x1 + (y - y1) / (y2 - y1) * (x2 - x1));
            }
        }
        found.sort_by(f64::total_cmp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(mask: &Mask, (width, height): (usize, usize)) -> usize {
        (0..width * height).filter(|index| !mask.is_valid(index % width, index / width)).count()
    }

    #[test]
    fn the_area_of_a_triangle_is_masked_and_the_rest_is_not() {
        let text = r#"{"polygons": [{"points": [[-10, -10], [109.5, -10], [-10, 109.5]]}]}"#;
        let polygons = Polygons::parse(text, "a.json").unwrap();
        let mask = polygons.mask(80, 60);
        for (x, y) in [(0, 0), (79, 0), (40, 59), (79, 59), (79, 20), (79, 21)] {
            assert_eq!(mask.is_valid(x, y), x as f64 + y as f64 >= 99.5, "{x} {y}");
        }
        let flow = Polygons { inside: Inside::Flow, ..polygons }.mask(80, 60);
        assert_eq!(count(&mask, (80, 60)) + count(&flow, (80, 60)), 80 * 60);
    }

    #[test]
    fn neighbours_share_no_pixel_and_leave_none_out() {
        let square = |left: f64| Polygon {
            points: vec![[left, 2.0], [left + 5.0, 2.0], [left + 5.0, 7.0], [left, 7.0]],
        };
        let of = |polygons: Vec<Polygon>| {
            count(&Polygons { inside: Inside::Masked, polygons }.mask(20, 12), (20, 12))
        };
        assert_eq!((of(vec![square(3.0)]), of(vec![square(3.0), square(8.0)])), (25, 50));
        // A star of five points, drawn in one line: its middle is gone around twice.
        let star = (0..5).map(|k| {
            let angle = f64::from(k) * 4.0 * std::f64::consts::PI / 5.0;
            [10.0 + 5.5 * angle.sin(), 6.0 - 5.5 * angle.cos()]
        });
        let star = Polygons { inside: Inside::Masked, polygons: vec![Polygon { points: star.collect() }] };
        assert!(star.mask(20, 12).is_valid(10, 6) && !star.mask(20, 12).is_valid(10, 2));
    }

    #[test]
    fn mistakes_are_told_with_the_file_and_the_polygon() {
        let error = |text: &str| Polygons::parse(text, "m.toml").unwrap_err().to_string();
        assert_eq!(error("polygons = []"), "m.toml: polygons: [], must be at least one");
        let text = "[[polygons]]\npoints = [[1, 2], [3, 4]]";
        assert_eq!(error(text), "m.toml: polygons[0].points: 2 corners, must be at least three");
        assert!(error("[[polygons]]\npoints = [[1, 2], [3, 4], [5, nan]]").contains("no number"));
        assert!(error("[[polygons]]\ncorners = []").contains("corners"));
        assert!(Polygons::parse("{", "m.json").unwrap_err().to_string().starts_with("m.json: "));
    }
}
