//! Topologies for the usual tasks.
//!
//! `piv` is couples of images to fields of displacements, and also background-oriented schlieren, whose couples share
//! their first image; `preprocess` is images to images; `mean` is a series to a few images; `synth` makes a series.
//! `plans`, `prepare`, `pages` and `pictures` are what they share: computing, preparing images, the contents of files.

mod mean;
mod pictures;
mod piv;
mod plan_pool;
mod preprocess;
mod preprocessing;
mod result_files;
mod synth;
mod time_windows;

pub use mean::{MEAN_FILES, MeanSeries, mean, wanted_mean};
pub use pictures::{picture, picture_of_correlation, summits};
pub use piv::{PivSeries, Task, piv};
pub use plan_pool::Plans;
pub use preprocess::{ImageFile, PreprocessSeries, image_files, preprocess, wanted_image};
pub use preprocessing::{Background, Prepare};
pub use result_files::field_file;
pub use synth::{SynthSeries, synth};

use std::path::Path;

use terzetto_kernels::{Image, ImageError, decode_image};

use terzetto_executor::{
    BoxError, Key,
    results::{Store, text},
};

/// An image's key is its path, so that errors name the file. No two images have the same one.
fn image_key(path: &Path) -> Key {
    Key::from(text(path.as_os_str()))
}

/// Reads an image of which results are made; the store remembers what the file was.
fn read_stored_image(store: &Store, path: &Path) -> Result<Image, ImageError> {
    let bytes = store.read(path).map_err(|source| ImageError::Read { path: path.to_owned(), source })?;
    decode_image(path, &bytes)
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
