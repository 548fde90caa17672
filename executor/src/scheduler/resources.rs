//! Named resources, such as GPUs or bytes of memory. A call takes what it uses when it starts, and gives it back when
//! it has ended.

/// The resources of a run, by index: their names and amounts.
#[derive(Debug, Default)]
pub(crate) struct Resources(Vec<(String, u64)>);

impl Resources {
    pub fn new(amounts: impl Iterator<Item = (String, u64)>) -> Resources {
        Resources(amounts.collect())
    }

    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| known == name)
    }

    /// What is free before anything runs.
    pub fn all(&self) -> Vec<u64> {
        self.0.iter().map(|(_, amount)| *amount).collect()
    }
}
