//! The numbers of a series' images, out of their file names.
//!
//! A name may hold several numbers: those of the run and of the camera are the same in all names of a series. The
//! image's own is the last one that is not.

use std::path::PathBuf;

use super::stem;

/// The number of each image, if its name has one; of a single image, or of names without anything to tell them
/// apart, the last number of the name.
///
/// ```
/// use std::path::PathBuf;
/// use terzetto_executor::series::numbers;
///
/// let images = ["run3_0009a_cam1.png", "run3_0010a_cam1.png", "mask.png"].map(PathBuf::from);
/// assert_eq!(numbers(&images), [Some(9), Some(10), None]);
/// ```
pub fn numbers(images: &[PathBuf]) -> Vec<Option<u64>> {
    let all: Vec<Vec<u64>> = images.iter().map(|path| numbers_from_the_end(&stem(path))).collect();
    let differ = |place: usize| {
        let mut here = all.iter().filter_map(|numbers| numbers.get(place));
        here.next().is_some_and(|first| here.any(|other| other != first))
    };
    let most = all.iter().map(Vec::len).max().unwrap_or(0);
    let place = (0..most).find(|&place| differ(place)).unwrap_or(0);
    all.iter().map(|numbers| numbers.get(place).copied()).collect()
}

/// The numbers in a text, the last one first. Those beyond 64 bits count as the largest.
fn numbers_from_the_end(text: &str) -> Vec<u64> {
    let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    let mut numbers: Vec<u64> = runs.map(|run| run.parse().unwrap_or(u64::MAX)).collect();
    numbers.reverse();
    numbers
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
