//! From pixels to lengths: the image of a target of dots, and images without the distortion of the camera.
//!
//! A target is a flat plate with dots at equal distances in rows and columns, in the plane that is measured. Its image
//! shows where a camera sees each place: polynomials of third order in both coordinates, fitted by least squares, say
//! it in between (Soloff, Adrian and Liu 1997, *Measurement Science and Technology* 8, 1441-1454, on polynomials as
//! calibration). With these, images are dewarped: as a camera without distortion would see them, straight above the
//! plane, so that a pixel has the same length everywhere.
//!
//! Coordinates in the plane are lengths from the dot nearest to the middle of the image, along the rows and the columns
//! of the target, to the right and downwards.

mod dots;

use std::{error::Error, fmt};

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::{Image, multipass::Coefficients};

/// Terms of a polynomial of third order in two variables.
const TERMS: usize = 10;

/// Where a camera sees the places of a plane.
///
/// ```
/// use terzetto_kernels::{Image, calibration::Calibration};
/// // Dots of 8 px, 20 px apart, which are 5 mm.
/// let target = Image::from_fn(200, 160, |x, y| {
///     let from = |at: usize| (at as f32 + 0.5).rem_euclid(20.0) - 10.0;
///     if from(x).hypot(from(y)) < 4.0 { 200.0 } else { 20.0 }
/// });
/// let calibration = Calibration::of_target(&target, 5e-3)?;
/// assert!((calibration.pixel_size() - 0.25e-3).abs() < 1e-9 && calibration.residual() < 0.01);
/// # Ok::<(), terzetto_kernels::calibration::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The length of a pixel of dewarped images, m.
    pixel_size: f64,
    /// The distance of neighbouring dots, m.
    spacing: f64,
    /// Where the origin of the plane is in the image, px.
    origin: [f64; 2],
    /// Width and height of the image of the target, px.
    size: [usize; 2],
    /// How many dots were found, and the root mean square of their distances from the polynomials, px.
    dots: usize,
    residual: f64,
    /// Coefficients for columns and rows, of powers of the place in spacings: 1, x, y, x², xy, y², x³, x²y, xy², y³.
    columns: [f64; TERMS],
    rows: [f64; TERMS],
}

/// An image that shows no target.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CalibrationError {
    /// The distance of dots is not a number above zero.
    Spacing {
        /// What it is.
        value: f64,
    },
    /// There are too few dots in rows and columns.
    Dots {
        /// Patches that may be dots.
        patches: usize,
        /// How many of them are in rows and columns.
        dots: usize,
    },
    /// The dots do not determine the polynomials: they lie in less than four rows or columns.
    Polynomial,
}

impl fmt::Display for CalibrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CalibrationError::Spacing { value } => {
                write!(f, "the distance of dots is {value}, and must be more than 0")
            }
            CalibrationError::Dots { patches, dots } => write!(
                f,
                "of {patches} patches that may be dots, {dots} are in rows and columns, and {LEAST_DOTS} are needed: is it \
                 the image of a target of dots, evenly lit?"
            ),
            CalibrationError::Polynomial => {
                write!(f, "the dots do not determine the polynomials: four rows and columns are needed")
            }
        }
    }
}

impl Error for CalibrationError {}

/// Half more than the terms of a polynomial.
const LEAST_DOTS: usize = 16;

fn terms([x, y]: [f64; 2]) -> [f64; TERMS] {
    [1.0, x, y, x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y]
}

fn sum(coefficients: &[f64; TERMS], terms: &[f64; TERMS]) -> f64 {
    coefficients.iter().zip(terms).map(|(coefficient, term)| coefficient * term).sum()
}

impl Calibration {
    /// Finds the dots in the image of a target, bright on dark or dark on bright, and fits the polynomials. `spacing`
    /// is the distance of neighbouring dots in metres.
    ///
    /// # Errors
    /// [`CalibrationError`] if too few dots are found, or they do not determine the polynomials.
    pub fn of_target(image: &Image, spacing: f64) -> Result<Calibration, CalibrationError> {
        if !(spacing > 0.0 && spacing.is_finite()) {
            return Err(CalibrationError::Spacing { value: spacing });
        }
        let centres = dots::centres(image);
        let middle = [image.width() as f64 / 2.0, image.height() as f64 / 2.0];
        let mut dots = dots::sort(&centres, middle);
        // The order of a map is not the same each time, and sums would differ in their last digits.
        dots.sort_by_key(|dot| dot.index);
        if dots.len() < LEAST_DOTS {
            return Err(CalibrationError::Dots { patches: centres.len(), dots: dots.len() });
        }
        let of_dot = |dot: &dots::Dot| terms(dot.index.map(f64::from));
        let matrix = DMatrix::from_fn(dots.len(), TERMS, |row, term| of_dot(&dots[row])[term]);
        let decomposed = matrix.svd(true, true);
        if decomposed.rank(1e-9 * decomposed.singular_values.max()) < TERMS {
            return Err(CalibrationError::Polynomial);
        }
        let fit = |axis: usize| -> Result<[f64; TERMS], CalibrationError> {
            let values = DVector::from_fn(dots.len(), |row, _| dots[row].place[axis]);
            let found = decomposed.solve(&values, 0.0).map_err(|_| CalibrationError::Polynomial)?;
            Ok(std::array::from_fn(|term| found[term]))
        };
        let (columns, rows) = (fit(0)?, fit(1)?);
        let square = |dot: &dots::Dot| {
            let terms = of_dot(dot);
            (sum(&columns, &terms) - dot.place[0]).powi(2) + (sum(&rows, &terms) - dot.place[1]).powi(2)
        };
        let residual = (dots.iter().map(square).sum::<f64>() / dots.len() as f64).sqrt();
        // A pixel of the dewarped image has the area that a pixel has at the origin.
        let area = (columns[1] * rows[2] - columns[2] * rows[1]).abs();
        Ok(Calibration {
            pixel_size: spacing / area.sqrt(),
            spacing,
            origin: [columns[0], rows[0]],
            size: [image.width(), image.height()],
            dots: dots.len(),
            residual,
            columns,
            rows,
        })
    }

    /// The length of a pixel of dewarped images, m.
    pub fn pixel_size(&self) -> f64 {
        self.pixel_size
    }

    /// How many dots were found.
    pub fn dots(&self) -> usize {
        self.dots
    }

    /// The root mean square of the distances of the dots from where the polynomials see them, px.
    pub fn residual(&self) -> f64 {
        self.residual
    }

    /// Width and height of the images that it is for, px.
    pub fn size(&self) -> (usize, usize) {
        (self.size[0], self.size[1])
    }

    /// Where in an image a place of the plane is seen, px. The place is in metres from the origin.
    pub fn to_pixel(&self, place: [f64; 2]) -> [f64; 2] {
        let terms = terms(place.map(|length| length / self.spacing));
        [sum(&self.columns, &terms), sum(&self.rows, &terms)]
    }

    /// The image as a camera without distortion would see it, with the same size, the origin where it was, and pixels
    /// of
    /// [`pixel_size`](Calibration::pixel_size). Between pixels it is interpolated by cubic B-splines. What the camera has not
    /// seen is 0.
    ///
    /// # Panics
    /// If the image has another [`size`](Calibration::size).
    pub fn dewarp(&self, image: &Image) -> Image {
        let (width, height) = (image.width(), image.height());
        assert_eq!((width, height), self.size(), "the size of the calibration");
        let mut coefficients = Coefficients::new(width, height);
        coefficients.fit(image);
        Image::from_fn(width, height, |x, y| {
            let place = [x as f64 - self.origin[0], y as f64 - self.origin[1]];
            let [column, row] = self.to_pixel(place.map(|pixels| pixels * self.pixel_size));
            let inside = |at: f64, length: usize| at > -0.5 && at < length as f64 - 0.5;
            if !inside(column, width) || !inside(row, height) {
                return 0.0;
            }
            coefficients.at(column as f32, row as f32)
        })
    }
}
