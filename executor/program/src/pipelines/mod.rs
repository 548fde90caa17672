//! The tasks of the program, each as a function that returns a topology.
//!
//! - [`piv`] measures displacements in couples of images. With [`Task::Bos`] it is background-oriented schlieren, whose
//!   couples share their first image.
//! - [`ensemble`] measures one field of all couples together.
//! - [`preprocess`] makes filtered images.
//! - [`mean`] makes statistics of a series.
//! - [`synth`] makes a series of synthetic images.
//!
//! # Where to read
//!
//! `piv`, `preprocess`, `mean` and `synth` are the four tasks. `preprocessing` is what is done to an image before
//! anything is measured, `time_windows` gives an image its neighbours in time. `plan_pool` keeps what the kernels
//! need to compute. `validity` counts valid vectors. `result_files` and `pictures` make the contents of files.
//! `works` has the works that topologies in files are made of.

mod ensemble;
mod mean;
mod pictures;
mod piv;
mod plan_pool;
mod preprocess;
mod preprocessing;
mod result_files;
mod synth;
mod time_windows;
mod validity;
mod works;

pub use ensemble::{ENSEMBLE, ensemble};
pub use mean::{MEAN_FILES, MeanSeries, expected_mean, mean};
pub use pictures::{peak_marks, picture, picture_of_correlation};
pub use piv::{PivSeries, Task, piv};
pub use plan_pool::PlanPool;
pub use preprocess::{ImageFile, PreprocessSeries, expected_image, image_files, preprocess};
pub use preprocessing::{Background, Preprocessing};
pub use result_files::field_file;
pub use synth::{SynthSeries, synth};
pub use validity::Validity;
pub use works::{WORKS, works};

use std::path::Path;

use terzetto_executor::{
    BoxError, Key,
    results::{Store, text},
};
use terzetto_kernels::{Image, ImageError, decode_image};

/// The key of an image is its path. So errors name the file, and no two images have the same key.
fn image_key(path: &Path) -> Key {
    Key::from(text(path.as_os_str()))
}

/// Reads an image through the store, which remembers its fingerprint for the manifests.
fn read_image_from(store: &Store, path: &Path) -> Result<Image, BoxError> {
    let bytes = store.read(path).map_err(|source| ImageError::Read { path: path.to_owned(), source })?;
    decode_image(path, &bytes).map_err(|error| match error {
        ImageError::Pages { .. } => {
            format!("{error}. `terzetto pages FILE FOLDER` writes its pages as images, and a film in place of a folder is a series").into()
        }
        error => error.into(),
    })
}

/// Width and height, px.
fn size(image: &Image) -> (usize, usize) {
    (image.width(), image.height())
}

/// A name that cannot lead to another folder. Names of results come from file names.
fn safe_name(name: &str) -> String {
    name.replace(['/', '\\'], "_")
}

/// An error with both sizes, unless they are equal.
fn check_size(what: &str, expected: (usize, usize), found: (usize, usize)) -> Result<(), BoxError> {
    if expected == found {
        return Ok(());
    }
    let ((w, h), (fw, fh)) = (expected, found);
    Err(format!("{what} has {fw} x {fh} pixels, and {w} x {h} are expected").into())
}
