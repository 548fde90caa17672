//! What is made of measured fields: velocities, their derivatives, and statistics over a series.
//!
//! Only valid vectors count. [`Scale`] turns pixels a couple into lengths and times, [`derivatives`] gives vorticity,
//! divergence, strain and the criteria of vortices, [`FieldStatistics`] the mean, the fluctuations and the Reynolds
//! stresses of any number of fields in the memory of one. [`Pod`] gives the modes of a series and [`Spectrum`] its
//! spectrum, both in memory that does not grow with its length.

mod derivatives;
mod pod;
mod scale;
mod spectrum;
mod statistics;

pub use derivatives::{Derivatives, derivatives};
pub use pod::{Mode, Pod};
pub use scale::Scale;
pub use spectrum::{SpectralLine, Spectrum};
pub use statistics::{FieldStatistics, NodeStatistics};
