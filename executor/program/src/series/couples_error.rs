//! Errors about images whose names do not say which belong together.

use std::{error::Error, fmt, path::PathBuf};

use terzetto_executor::results::file_name;

use super::CoupleRule;

/// The names of images leave open which images make couples, or no images do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CouplesError {
    /// Two images have the same number.
    SameNumber(u128, [PathBuf; 2]),
    /// Two images are the first one of a couple, or the second one.
    SameRole([PathBuf; 2]),
    /// The names of two images differ only in the ending, and couples are made by the order of names.
    SameName([PathBuf; 2]),
    /// The numbers look like decimal fractions, so their order is not known.
    Fraction([PathBuf; 2]),
    /// The numbers do not go up in equal steps. They may be times.
    UnequalSteps {
        /// The smallest step.
        step: u128,
        /// Two images whose distance is not a multiple of it.
        images: [PathBuf; 2],
    },
    /// Images are taken two by two, but it is not known whether the first one begins a couple.
    WhichIsFirst {
        /// The number of the first image.
        number: u128,
        /// The number after it.
        next: u128,
        /// The first image.
        image: PathBuf,
    },
    /// No two images belong together.
    NoCouple {
        /// How many images there are.
        count: usize,
        /// The rule that was applied.
        rule: CoupleRule,
        /// One image that is left over, and the reason.
        why: Option<(PathBuf, String)>,
    },
}

const LIST: &str = "list the couples in a file (--couples-file)";

impl fmt::Display for CouplesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |path: &PathBuf| format!("`{}`", file_name(path));
        match self {
            CouplesError::SameNumber(number, [a, b]) => write!(
                f,
                "two files with number {number}: {} and {}; choose one kind with a pattern of file names such as \
                 'series/*.png', or {LIST}",
                name(a),
                name(b)
            ),
            CouplesError::SameRole([a, b]) => write!(
                f,
                "two files for one place in a couple: {} and {}; choose one kind with a pattern of file names such \
                 as 'series/*.png', or {LIST}",
                name(a),
                name(b)
            ),
            CouplesError::SameName([a, b]) => write!(
                f,
                "two files of one name: {} and {}; choose one kind with a pattern of file names such as \
                 'series/*.png', or {LIST}",
                name(a),
                name(b)
            ),
            CouplesError::Fraction([a, b]) => write!(
                f,
                "which is the number in {} and {}? Behind the point it has different lengths, so that the order is \
                 not known; rename the files, or {LIST}",
                name(a),
                name(b)
            ),
            CouplesError::UnequalSteps { step, images: [a, b] } => write!(
                f,
                "the numbers do not count images: they go up by {step}, but not by a multiple of it from {} to {}; \
                 say --couples order to take each image with the next one, or {LIST}",
                name(a),
                name(b)
            ),
            CouplesError::WhichIsFirst { number, next, image } => write!(
                f,
                "the numbers begin with {number}: is {} the first image of a couple, or does the image before it lack? \
                 Choose images that make whole couples with --range {number}: or {next}:, with both ends, or {LIST}",
                name(image)
            ),
            CouplesError::NoCouple { count, rule, why } => {
                write!(f, "the {count} images make no couple by the rule {rule}")?;
                if let Some((image, why)) = why {
                    write!(f, " ({}: {why})", name(image))?;
                }
                write!(f, "; choose another rule with --couples, or {LIST}")
            }
        }
    }
}

impl Error for CouplesError {}
