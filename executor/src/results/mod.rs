//! Files of results.

mod atomic;
mod check;
mod fingerprint;
mod foreign;
mod made_with;
mod manifest;
mod names;
mod saving;
mod store;

pub use atomic::{WriteError, remove_leftovers, time_in, write_atomic};
pub use check::{ItemState, ResultsCheck, Wanted};
pub use fingerprint::content_mark;
pub use foreign::{Strangers, strangers, summarize};
pub use made_with::MadeWith;
pub use manifest::MANIFESTS;
pub use names::{file_name, stem, text};
pub use saving::{Saving, SavingPlan};
pub use store::Store;
