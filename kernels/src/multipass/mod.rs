//! Passes one after another, each guided by the one before.
//!
//! The first pass looks for the pattern at the same place, or a given displacement away. Its field, tested
//! and carried to the next pass's grid by thin-plate splines, tells the next where to look: windows can then
//! be smaller than the displacement, and a pattern that moves with its window stays in it. Either whole
//! windows are shifted by whole pixels, or both images are deformed so that only a residual is left to
//! measure ([`Predictor`]; Scarano 2002, *Measurement Science and Technology* 13, R1-R19).

mod deform;
mod grid;
mod look;
mod mask;
mod params;
mod pass;
mod plan;
mod search;
mod window;

pub use look::Look;
pub use mask::Mask;
pub use params::{MultipassParams, PassParams, Predictor, Region, SplineParams};
pub use plan::{MultipassPlan, PivResult};
