//! Ranges of numbers, which choose images.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A range of numbers `start:stop:step`, as in Python: `10:20:2`. Each of the three may be left out, and `stop` is not
/// in the range. fluidimage calls them `ind_start`, `ind_stop` and `ind_step`.
///
/// ```
/// use terzetto_program::series::IndexRange;
///
/// let range: IndexRange = "10:20:5".parse()?;
/// let chosen: Vec<u64> = (0..30).filter(|number| range.contains(*number, 0)).collect();
/// assert_eq!(chosen, [10, 15]);
/// let all = IndexRange::default();
/// assert!(all.contains(7, 0) && all.is_all());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IndexRange {
    start: Option<u64>,
    stop: Option<u64>,
    step: u64,
}

impl Default for IndexRange {
    fn default() -> Self {
        IndexRange { start: None, stop: None, step: 1 }
    }
}

impl IndexRange {
    /// Are all numbers in the range?
    pub fn is_all(self) -> bool {
        self == IndexRange::default()
    }

    /// Is this number in the range, for a series that begins at `first`?
    pub fn contains(self, number: u64, first: u64) -> bool {
        let start = self.start.unwrap_or(first);
        number >= start
            && self.stop.is_none_or(|stop| number < stop)
            && (number - start).is_multiple_of(self.step)
    }
}

impl fmt::Display for IndexRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        write!(f, "{}:{}:{}", text(self.start), text(self.stop), self.step)
    }
}

impl FromStr for IndexRange {
    type Err = String;

    fn from_str(text: &str) -> Result<IndexRange, String> {
        let wanted = || format!("`{text}`, must be start:stop:step, whole numbers, step at least 1");
        let number = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse::<u64>().map(Some).map_err(|_| wanted()),
        };
        let (start, stop, step) = match *text.split(':').collect::<Vec<_>>() {
            [start, stop] => (number(start)?, number(stop)?, None),
            [start, stop, step] => (number(start)?, number(stop)?, number(step)?),
            _ => return Err(wanted()),
        };
        match step.unwrap_or(1) {
            0 => Err(wanted()),
            step => Ok(IndexRange { start, stop, step }),
        }
    }
}

impl TryFrom<String> for IndexRange {
    type Error = String;

    fn try_from(text: String) -> Result<IndexRange, String> {
        text.parse()
    }
}

impl From<IndexRange> for String {
    fn from(range: IndexRange) -> String {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for text in ["::1", "3::1", ":9:1", "3:9:2"] {
            assert_eq!(text.parse::<IndexRange>().map(|range| range.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("4:8".parse::<IndexRange>(), "4:8:1".parse());
        for bad in ["", "5", "a:b", "1:2:0", "1:2:3:4", "-1:5", "1.5:2"] {
            assert!(bad.parse::<IndexRange>().is_err(), "{bad}");
        }
    }

    #[test]
    fn steps_count_from_the_start_or_from_the_first() {
        let chosen = |text: &str, first: u64| -> Vec<u64> {
            let range: IndexRange = text.parse().unwrap();
            (first..first + 10).filter(|number| range.contains(*number, first)).collect()
        };
        assert_eq!(chosen("::3", 5), [5, 8, 11, 14]);
        assert_eq!(chosen("6:12:3", 5), [6, 9]);
        assert_eq!(chosen("0:8:3", 5), [6]);
        assert_eq!(chosen("8:8", 5), [0_u64; 0]);
    }
}
