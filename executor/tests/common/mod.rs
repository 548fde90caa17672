//! What several tests need.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

pub mod executors;
pub mod folder;
pub mod gauge;

pub use folder::{Folder, jobs, names};
