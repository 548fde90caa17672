//! Topologies for the usual tasks.
//!
//! `piv` is couples of images to fields of displacements, and also background-oriented schlieren, whose couples share
//! their first image; `preprocess` is images to images; `mean` is a series to a few images; `synth` makes a series.
//! `plans`, `prepare`, `pages` and `pictures` are what they share: computing, preparing images, the contents of files.

mod mean;
mod pages;
mod pictures;
mod piv;
mod plans;
mod prepare;
mod preprocess;
mod synth;
mod windows;

pub use mean::{MEAN_FILES, MeanSeries, mean, wanted_mean};
pub use pages::field_file;
pub use pictures::{picture, picture_of_correlation, summits};
pub use piv::{PivSeries, Task, piv};
pub use plans::Plans;
pub use prepare::{Background, Prepare};
pub use preprocess::{ImageFile, PreprocessSeries, image_files, preprocess, wanted_image};
pub use synth::{SynthSeries, synth};

use std::path::Path;

use terzetto_kernels::Image;

use crate::{BoxError, Key, series::text};

/// An image's key is its path, so that errors name the file. No two images have the same one.
fn image_key(path: &Path) -> Key {
    Key::from(text(path.as_os_str()))
}

/// Width and height, px.
fn size(image: &Image) -> (usize, usize) {
    (image.width(), image.height())
}

/// A name that leads nowhere else: names of results come from file names.
fn plain(name: &str) -> String {
    name.replace(['/', '\\'], "_")
}

/// An error that tells both sizes unless they are equal.
fn check_size(what: &str, expected: (usize, usize), found: (usize, usize)) -> Result<(), BoxError> {
    if expected == found {
        return Ok(());
    }
    let ((w, h), (fw, fh)) = (expected, found);
    Err(format!("{what} has {fw} x {fh} pixels, and {w} x {h} are expected").into())
}
