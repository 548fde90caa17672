//! The numbers of images, from their file names.
//!
//! A name may have several numbers. Those of the run and of the camera are the same in all names of a series. The
//! number of the image is the last one that is not the same.

use std::path::PathBuf;

use terzetto_executor::results::stem;

use super::names::{numbers_from_the_end, own_place};

/// The number of each image, if its name has one. If there is one image only, or if all numbers are the same, it is the
/// last number of the name. Numbers that need more than 64 bits count as the largest number.
///
/// ```
/// use std::path::PathBuf;
/// use terzetto_program::series::numbers;
///
/// let images = ["run3_0009a_cam1.png", "run3_0010a_cam1.png", "mask.png"].map(PathBuf::from);
/// assert_eq!(numbers(&images), [Some(9), Some(10), None]);
/// ```
pub fn numbers(images: &[PathBuf]) -> Vec<Option<u64>> {
    let stems: Vec<String> = images.iter().map(|path| stem(path)).collect();
    let all: Vec<Vec<&str>> = stems.iter().map(|stem| numbers_from_the_end(stem)).collect();
    let place = own_place(&all);
    all.iter().map(|numbers| numbers.get(place).map(|digits| digits.parse().unwrap_or(u64::MAX))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_the_last_that_differs() {
        let numbers = |names: &[&str]| numbers(&names.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(numbers(&["im8", "im9.png", "im10.tif"]), [Some(8), Some(9), Some(10)]);
        assert_eq!(numbers(&["c060a", "c060b", "c061a"]), [Some(60), Some(60), Some(61)]);
        assert_eq!(numbers(&["a1_t5", "a1_t7"]), [Some(5), Some(7)]);
        assert_eq!(numbers(&["t5_cam2", "t7_cam2"]), [Some(5), Some(7)]);
        assert_eq!(numbers(&["x5"]), [Some(5)]);
        assert_eq!(numbers(&["x", "y"]), [None, None]);
        assert_eq!(numbers(&[]), []);
        assert_eq!(numbers(&[&"9".repeat(30), "1"]), [Some(u64::MAX), Some(1)]);
    }
}
