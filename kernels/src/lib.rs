//! The numeric work of particle image velocimetry: from images to vector fields, and to files.
//!
//! Pure functions over images, without threads of their own: who calls them owns parallelism. What
//! depends on sizes only is planned once and used for many couples, one plan for each worker: the correlation
//! of a window allocates nothing.
//!
//! # Where things are
//!
//! | module | holds |
//! |---|---|
//! | [`image`] | images, read from PNG, TIFF, BMP, JPEG, WebP, PGM and PPM |
//! | [`preprocess`] | filters, backgrounds, statistics of a series |
//! | [`correlation`] | two windows to a map of correlations, and its peaks |
//! | [`subpixel`] | a peak to a displacement between the pixels |
//! | [`validation`] | which vectors to believe, what to put in the place of others |
//! | [`tps`] | thin-plate splines: smoothing, and from one grid to another |
//! | [`multipass`] | all of these, pass by pass: the plan that users want |
//! | [`piv`] | one pass with few choices |
//! | [`bos`] | the same against one reference image |
//! | [`calibration`] | the image of a target, and images without the distortion of the camera |
//! | [`fields`] | velocities, vorticity and strain, statistics of a series of fields |
//! | [`output`] | results as NetCDF, VTK, Tecplot, the text of OpenPIV, and MATLAB files of PIVlab |
//! | [`synth`] | synthetic images with known displacements |
//!
//! # Numbers
//!
//! Pixels and correlations are `f32`: counts of 8 to 16 bits are exact in it, and twice as many fit a vector
//! register. Places and displacements are `f64`, as are the systems of the splines, which are ill-conditioned;
//! what the splines become, weighted means, is applied in `f32`.
//!
//! ```
//! use terzetto_kernels::{Flow, PivParams, PivPlan, SynthParams, synth_couple};
//!
//! let params = SynthParams { width: 128, height: 128, ..SynthParams::default() };
//! let (first, second) = synth_couple(&params, &Flow::Uniform { dx: 2.5, dy: 1.0 }, 0)?;
//! let field = PivPlan::new(&PivParams::default(), 128, 128)?.compute(&first, &second)?;
//! assert_eq!((field.nx, field.ny), (7, 7));
//! assert!(field.share_valid() > 0.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod bos;
pub mod calibration;
pub mod correlation;
mod error;
mod field;
pub mod fields;
pub mod image;
mod lanes;
pub mod multipass;
pub mod output;
pub mod piv;
pub mod preprocess;
pub mod subpixel;
pub mod synth;
pub mod tps;
pub mod validation;

pub use crate::image::{Image, ImageError, decode_image, encode_png16, read_image, write_png16};
pub use error::PivError;
pub use field::{Flags, Vector, VectorField};
pub use multipass::{MultipassParams, MultipassPlan, PassParams, PivResult};
pub use piv::{PivParams, PivPlan};
pub use synth::{Flow, SynthError, SynthParams, synth_couple};

// The program in the README is one of the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
