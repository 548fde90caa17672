//! One pass with few choices: the quick look, and the first of many.
//!
//! The image is cut into overlapping interrogation windows. In each, the pattern of the first image
//! is looked for in the second by cross-correlation; where the correlation peaks is how far the
//! particles have moved (Raffel et al., *Particle Image Velocimetry*, Springer). All choices, and more
//! passes, are in [`multipass`](crate::multipass).

mod params;
mod plan;

pub use crate::{
    error::PivError,
    field::{Flags, Vector, VectorField},
};
pub use params::PivParams;
pub use plan::PivPlan;
