//! `[series]`: which images.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::series::{CoupleRule, IndexRange};

/// Which images, and which of them make couples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesSection {
    /// The folder with the images, or a pattern of file names in it: `run7/cam1_*.png`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Two images instead of a series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<[PathBuf; 2]>,
    /// The range of numbers in file names.
    pub range: IndexRange,
    /// Which images make couples.
    pub couples: CoupleRule,
    /// A file that lists the couples: [`read_couples`](crate::series::read_couples).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub couples_file: Option<PathBuf>,
}
