//! What is made of measured fields: velocities, their derivatives, and statistics over a series.
//!
//! Only valid vectors count. [`Scale`] turns pixels a couple into lengths and times, [`derivatives`] gives vorticity,
//! divergence, strain and the criteria of vortices, [`FieldStatistics`] the mean, the fluctuations and the Reynolds
//! stresses of any number of fields in the memory of one.

mod derivatives;
mod scale;
mod statistics;

pub use derivatives::{Derivatives, derivatives};
pub use scale::Scale;
pub use statistics::{FieldStatistics, NodeStatistics};
