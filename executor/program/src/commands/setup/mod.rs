//! What commands on a series do before they compute.
//!
//! `parameters` puts the file of parameters and the options together. `series` lists the images and prepares the folder
//! for results, `saving` asks about a folder that is not empty. `couples` makes the couples. `preprocessing` reads the
//! background and the mask. `made_with` is what the results are made with, and `remaining` compares that with the
//! results that exist.

pub mod couples;
pub mod made_with;
pub mod parameters;
pub mod preprocessing;
pub mod remaining;
pub mod saving;
pub mod series;
