//! A disk with a log of commands. A crash cuts it back to what was synced.

use crate::protocol::Command;
use std::cell::{Cell, Ref, RefCell};
use terzetto::{Error, sleep};

/// How long a sync takes, in seconds.
const SYNC: f64 = 0.005;

#[derive(Default)]
pub struct Disk {
    written: RefCell<Vec<Command>>,
    synced: Cell<usize>,
}

impl Disk {
    /// What a host finds when it starts.
    pub fn recover(&self) -> Ref<'_, Vec<Command>> {
        self.written.borrow_mut().truncate(self.synced.get());
        self.log()
    }

    pub fn log(&self) -> Ref<'_, Vec<Command>> {
        self.written.borrow()
    }

    pub fn len(&self) -> usize {
        self.written.borrow().len()
    }

    /// Writes a command. Returns its place.
    pub fn append(&self, command: Command) -> usize {
        self.written.borrow_mut().push(command);
        self.len() - 1
    }

    /// Makes durable what was written before this call.
    pub async fn sync(&self) -> Result<(), Error> {
        let written = self.len();
        sleep(SYNC).await?;
        self.synced.set(self.synced.get().max(written));
        Ok(())
    }
}
