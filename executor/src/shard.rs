//! Parts of a series, for several processes or machines.
//!
//! A cluster's own scheduler starts the same command many times and tells each where it stands; each
//! computes its part, all write into one folder, and whatever is missing in the end, a run in
//! `complete` mode computes. Parts are blocks of neighbours, so that an image that two couples share
//! is read by one process only, but at the blocks' borders.

use std::{fmt, ops::Range, str::FromStr};

/// Part `index` of `count`, counted from 1: `2/8`.
///
/// ```
/// use terzetto_executor::Shard;
///
/// let shard: Shard = "2/3".parse()?;
/// assert_eq!(shard.of(10), 3..6);
/// assert!("4/3".parse::<Shard>().is_err());
/// # Ok::<(), terzetto_executor::ShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

/// A part that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardError(String);

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ShardError {}

impl Shard {
    /// Part `index` of `count`, counted from 1.
    ///
    /// # Errors
    /// [`ShardError`] unless 1 ≤ `index` ≤ `count`.
    pub fn new(index: usize, count: usize) -> Result<Shard, ShardError> {
        match (1..=count).contains(&index) {
            true => Ok(Shard { index, count }),
            false => Err(ShardError(format!("there is no part {index} of {count}; parts are 1/n to n/n"))),
        }
    }

    /// Which part this is, from 1.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many parts there are.
    pub fn count(self) -> usize {
        self.count
    }

    /// The part's items among `total`. The parts of a series cover it, share nothing, and differ by
    /// one item at most.
    pub fn of(self, total: usize) -> Range<usize> {
        // In 128 bits, since the product may be large.
        let at = |index: usize| (total as u128 * index as u128 / self.count as u128) as usize;
        at(self.index - 1)..at(self.index)
    }

    /// The part that a task of a Slurm job array is about, read from `SLURM_ARRAY_TASK_ID`, `…_MIN`,
    /// `…_COUNT` and `…_STEP` by way of `variable`; `None` outside a job array.
    ///
    /// # Errors
    /// [`ShardError`] if a variable is missing or is no number.
    pub fn from_slurm(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Shard>, ShardError> {
        let number = |name: &str| {
            let name = format!("SLURM_ARRAY_TASK_{name}");
            let text = variable(&name);
            let missing = || ShardError(format!("in a job array, but {name} is not set"));
            let text = text.ok_or_else(missing)?;
            text.trim().parse::<usize>().map_err(|_| ShardError(format!("{name} is `{text}`, not a number")))
        };
        if variable("SLURM_ARRAY_TASK_ID").is_none() {
            return Ok(None);
        }
        let (id, first, count) = (number("ID")?, number("MIN")?, number("COUNT")?);
        let step = if variable("SLURM_ARRAY_TASK_STEP").is_some() { number("STEP")?.max(1) } else { 1 };
        let index = id.saturating_sub(first) / step + 1;
        Shard::new(index, count).map(Some).map_err(|_| {
            let text = format!("task {id} is not among {count} tasks from {first} by {step}");
            ShardError(format!("{text}: job arrays with gaps cannot be split"))
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Shard, ShardError> {
        let parsed = text
            .split_once('/')
            .and_then(|(index, count)| Some((index.trim().parse().ok()?, count.trim().parse().ok()?)));
        match parsed {
            Some((index, count)) => Shard::new(index, count),
            None => Err(ShardError(format!("`{text}` is no part; parts are 1/n to n/n"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_series_and_share_nothing() {
        for total in [0, 1, 2, 7, 100, usize::MAX - 1] {
            for count in [1, 2, 3, 8, 101] {
                let mut next = 0;
                for index in 1..=count {
                    let range = Shard::new(index, count).expect("a part").of(total);
                    assert_eq!(range.start, next);
                    assert!((total / count..=total / count + 1).contains(&range.len()));
                    next = range.end;
                }
                assert_eq!(next, total);
            }
        }
    }

    #[test]
    fn slurm_says_which_part() {
        let with = |set: &[(&str, &str)]| {
            let set: Vec<_> =
                set.iter().map(|(a, b)| (format!("SLURM_ARRAY_TASK_{a}"), b.to_string())).collect();
            Shard::from_slurm(move |name| set.iter().find(|(other, _)| other == name).map(|(_, v)| v.clone()))
        };
        assert_eq!(with(&[]), Ok(None));
        let array = [("ID", "7"), ("MIN", "5"), ("COUNT", "4")];
        assert_eq!(with(&array), Ok(Some(Shard { index: 3, count: 4 })));
        let array = [("ID", "20"), ("MIN", "0"), ("COUNT", "4"), ("STEP", "10")];
        assert_eq!(with(&array), Ok(Some(Shard { index: 3, count: 4 })));
        assert!(with(&[("ID", "9"), ("MIN", "1"), ("COUNT", "3")]).is_err());
        assert!(with(&[("ID", "9"), ("MIN", "1")]).is_err());
        assert!(with(&[("ID", "x"), ("MIN", "1"), ("COUNT", "3")]).is_err());
    }
}
