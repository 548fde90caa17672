//! Particle image velocimetry and image work.
#![forbid(unsafe_code)]

pub mod image;

pub use crate::image::{Image, ImageError, encode_png16, read_image, write_png16};
