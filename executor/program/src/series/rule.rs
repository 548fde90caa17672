//! The rule for couples, as the command line and files of parameters write it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which images of a sorted series make couples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum CoupleRule {
    /// [`Letters`](CoupleRule::Letters) if the names have letters (`…1a`, `…1b`), else
    /// [`Consecutive`](CoupleRule::Consecutive).
    #[default]
    Auto,
    /// Each image and the one of the next number: 1-2, 2-3, 3-4. There is no couple across a gap in the numbers.
    Consecutive,
    /// Images two by two: 1-2, 3-4. If the names have letters, as [`Letters`](CoupleRule::Letters). If 4 is missing, 3
    /// is left over, and 5-6 follows.
    Pairs,
    /// By the letters at the ends or the starts of names: `1a`-`1b`, `2_LA`-`2_LB`, `a_3`-`b_3`.
    Letters,
    /// Each image and the next one in the order of names, whatever the numbers are. It is for names with times.
    Order,
    /// Images of the numbers i and i + n. It is written as in fluidimage: `i:i+2` for n = 1, `i:i+3:2` for n = 2.
    Apart(u64),
}

impl fmt::Display for CoupleRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoupleRule::Auto => f.write_str("auto"),
            CoupleRule::Consecutive => f.write_str("consecutive"),
            CoupleRule::Pairs => f.write_str("pairs"),
            CoupleRule::Letters => f.write_str("ab"),
            CoupleRule::Order => f.write_str("order"),
            CoupleRule::Apart(1) => f.write_str("i:i+2"),
            CoupleRule::Apart(distance) => write!(f, "i:i+{}:{distance}", distance + 1),
        }
    }
}

impl FromStr for CoupleRule {
    type Err = String;

    fn from_str(text: &str) -> Result<CoupleRule, String> {
        let slice = || distance(text).map(CoupleRule::Apart);
        let wanted =
            "must be auto, consecutive, pairs, ab, order, or a slice of two images such as i:i+2 or i:i+3:2";
        match text {
            "auto" => Ok(CoupleRule::Auto),
            "consecutive" => Ok(CoupleRule::Consecutive),
            "pairs" => Ok(CoupleRule::Pairs),
            "ab" => Ok(CoupleRule::Letters),
            "order" => Ok(CoupleRule::Order),
            _ => slice().ok_or_else(|| format!("`{text}`, {wanted}")),
        }
    }
}

/// The step of a slice `i:i+LENGTH:STEP`, if the slice has exactly two numbers.
fn distance(text: &str) -> Option<u64> {
    let text: String = text.split_whitespace().collect();
    let rest = text.strip_prefix("i:i+")?;
    let (length, step) = rest.split_once(':').unwrap_or((rest, "1"));
    let (length, step): (u64, u64) = (length.parse().ok()?, step.parse().ok()?);
    // A larger step could overflow the numbers of images.
    (step < 1 << 32 && length > step && length <= 2 * step).then_some(step)
}

impl TryFrom<String> for CoupleRule {
    type Error = String;

    fn try_from(text: String) -> Result<CoupleRule, String> {
        text.parse()
    }
}

impl From<CoupleRule> for String {
    fn from(rule: CoupleRule) -> String {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
        for text in ["auto", "consecutive", "pairs", "ab", "order", "i:i+2", "i:i+3:2", "i:i+11:10"] {
            assert_eq!(text.parse::<CoupleRule>().map(|rule| rule.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("i : i+4 : 2".parse(), Ok(CoupleRule::Apart(2)));
        for bad in ["", "i", "i:i+1", "i:i+3", "i:i+3:1", "i:i+2:2", "i:i+2:0", "i:i-2", "triples"] {
            assert!(bad.parse::<CoupleRule>().is_err(), "{bad}");
        }
    }
}
