//! Results in files: written whole, described by manifests, compared before a later run.
//!
//! A run makes *items*, such as the displacements of one couple of images. An item has one or several files, and is
//! made of *inputs*, such as two images.
//!
//! That a file exists says little: it may be empty, edited, or left by a run with other parameters. So when all
//! files of an item are written, its *manifest* is written, too. It has the checksum of each file and of each
//! input, and what the item was made with. A later run can then keep what is whole and was made in the same way.
//!
//! - [`write_atomic`] writes a file that is whole or absent. [`Store`] writes an item and its manifest.
//! - [`ResultsCheck`] says what exists of an item. [`find_foreign`] finds results that belong to no item of a run.
//! - [`MadeWith`] is what an item was made with: program, task, parameters.
//! - [`Cache`] keeps results by what they are made of, for all runs and machines.
//! - `ObjectFolder` and `ObjectResults` are the same on object storage, with the feature `object-store`.
//! - [`Saving`] is what a run does if its folder is not empty.

mod atomic;
mod cache;
mod check;
mod fingerprint;
mod foreign;
mod made_with;
mod manifest;
mod names;
#[cfg(feature = "object-store")]
mod object_folder;
#[cfg(feature = "object-store")]
mod object_results;
mod saving;
mod store;

pub(crate) use atomic::write_atomic_unsynced;
pub use atomic::{WriteError, remove_leftovers, time_in, write_atomic};
pub use cache::{Cache, CacheKey};
pub use check::{ExpectedItem, ItemState, ResultsCheck};
pub(crate) use fingerprint::checksum as content_checksum;
pub use fingerprint::content_fingerprint;
pub use foreign::{ForeignResults, SeriesNames, find_foreign, summarize};
pub use made_with::MadeWith;
pub use manifest::MANIFESTS;
pub use names::{file_name, stem, text};
#[cfg(feature = "object-store")]
pub use object_folder::{ObjectError, ObjectFolder};
#[cfg(feature = "object-store")]
pub use object_results::ObjectResults;
pub use saving::{Saving, SavingPlan};
pub use store::Store;
