//! Particle image velocimetry and image work.
#![forbid(unsafe_code)]

pub mod image;
pub mod piv;
pub mod synth;

pub use crate::image::{Image, ImageError, encode_png16, read_image, write_png16};
pub use piv::{Flags, PivError, PivParams, PivPlan, Vector, VectorField};
pub use synth::{Flow, SynthError, SynthParams, synth_couple};
