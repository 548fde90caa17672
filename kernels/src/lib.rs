//! The numeric work of particle image velocimetry: images, vector fields, synthetic images.
//!
//! Pure functions over images, without threads of their own: who calls them owns parallelism. What
//! depends on sizes only is planned once ([`PivPlan`]) and used for many couples.
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

pub mod image;
pub mod piv;
pub mod synth;

pub use crate::image::{Image, ImageError, encode_png16, read_image, write_png16};
pub use piv::{Flags, PivError, PivParams, PivPlan, Vector, VectorField};
pub use synth::{Flow, SynthError, SynthParams, synth_couple};
