//! What commands on a series have in common before they run.

pub mod couples;
pub mod made_with;
pub mod parameters;
pub mod preprocessing;
pub mod remaining;
pub mod saving;
pub mod series;
