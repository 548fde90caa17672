//! Particle image velocimetry: from a couple of images to a field of displacements.
//!
//! The image is cut into overlapping interrogation windows. In each, the pattern of the first image
//! is looked for in the second by cross-correlation; where the correlation peaks is how far the
//! particles have moved (Raffel et al., *Particle Image Velocimetry*, Springer).

mod correlate;
mod field;
mod params;
mod plan;
mod subpixel;

pub use field::{Flags, Vector, VectorField};
pub use params::{PivError, PivParams};
pub use plan::PivPlan;
