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

pub mod bos;
pub mod correlation;
mod error;
mod field;
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

pub use crate::image::{Image, ImageError, encode_png16, read_image, write_png16};
pub use error::PivError;
pub use field::{Flags, Vector, VectorField};
pub use multipass::{MultipassParams, MultipassPlan, PassParams, PivResult};
pub use piv::{PivParams, PivPlan};
pub use synth::{Flow, SynthError, SynthParams, synth_couple};
