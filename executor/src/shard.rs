//! Parts of a series, for several processes or machines.
//!
//! The scheduler of a cluster starts the same command many times, and tells each process its number. Each process
//! computes its part, and all write into one folder. If something is missing in the end, one more run in
//! `complete` mode computes it. A part is a block of neighbours. So an image that belongs to two couples is read
//! by one process only, except at the borders of the blocks.

use std::{fmt, ops::Range, str::FromStr};

/// Part `index` of `count` of a series. Parts are counted from 1: `2/8`.
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

/// There is no such part, or nothing tells which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardError(String);

impl ShardError {
    /// The error with this text.
    pub fn new(text: impl Into<String>) -> ShardError {
        ShardError(text.into())
    }
}

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

    /// The number of this part, from 1.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many parts there are.
    pub fn count(self) -> usize {
        self.count
    }

    /// The items of this part, of `total` items. All parts together are the series. No two parts share an item,
    /// and their sizes differ by one at most.
    pub fn of(self, total: usize) -> Range<usize> {
        // The product may need more than 64 bits.
        let at = |index: usize| (total as u128 * index as u128 / self.count as u128) as usize;
        at(self.index - 1)..at(self.index)
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
}
