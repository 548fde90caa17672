//! The results of threads whose futures may have been dropped.
//!
//! A thread that reads cannot be stopped. If its future is dropped meanwhile, for example in a `select!`, the data
//! that the thread then reads must not be lost. So a thread never passes data to a future directly. The thread
//! stores the data here, with the number of the read, and the future collects it. Data that nobody collects stays
//! here, and the next read returns it. The position in the file *as a user sees it* is after the data that was
//! given out. That is the system's position, minus the length of the data that is kept. An error of a write is kept
//! in the same way, for the next write.
//!
//! A future that is neither dropped nor polled must not block the operations after it. So the number is not a lock.
//! The next operation waits for one tick, and then takes the data that is here. If the earlier read is polled after
//! all, it begins again.

use std::{
    fs,
    io::{self, ErrorKind, Seek, SeekFrom},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The number of an operation.
pub(super) type Number = u64;

#[derive(Default)]
struct UnreadState {
    next: Number,
    /// The data that was read and not given out.
    unread: Vec<u8>,
    /// The read that may collect data, and how many bytes it may collect.
    read: Option<(Number, usize)>,
    /// The write that has failed, if its error was not reported yet.
    failed: Option<(Number, io::Error)>,
}

/// See the [module](self).
#[derive(Default)]
pub(super) struct Kept(Mutex<UnreadState>);

impl Kept {
    /// Never waits long, because the lock is held only to move data.
    fn lock(&self) -> MutexGuard<'_, UnreadState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for an operation.
    pub(super) fn number(&self) -> Number {
        let mut state = self.lock();
        state.next += 1;
        state.next
    }

    /// Whether there is data that was read and not given out.
    pub(super) fn has_unread(&self) -> bool {
        !self.lock().unread.is_empty()
    }

    /// Gives out at most this many bytes of the unread data.
    pub(super) fn take_some(&self, most: usize) -> Vec<u8> {
        let mut state = self.lock();
        state.read = None;
        let length = state.unread.len().min(most);
        state.unread.drain(..length).collect()
    }

    /// Takes all unread data, for the next reader.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut state = self.lock();
        state.read = None;
        std::mem::take(&mut state.unread)
    }

    /// Stores the data that was read: the first `most` bytes for this read, the rest for the next one.
    pub(super) fn put(&self, bytes: Vec<u8>, number: Number, most: usize) {
        let mut state = self.lock();
        state.read = Some((number, bytes.len().min(most)));
        state.unread = bytes;
    }

    /// Stores the data that was read before a read failed, for the next read.
    pub(super) fn put_back(&self, bytes: Vec<u8>) {
        self.lock().unread = bytes;
    }

    /// Collects the data of this read. `None` if another operation has taken it.
    pub(super) fn collect(&self, number: Number) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let (_, length) = state.read.take_if(|(reader, _)| *reader == number)?;
        let rest = state.unread.split_off(length);
        Some(std::mem::replace(&mut state.unread, rest))
    }

    /// Moves the system's position to where the user sees it, before another operation uses the position. A file
    /// without positions, such as a pipe, keeps the data that was read.
    pub(super) fn settle(&self, file: &mut fs::File) -> io::Result<()> {
        let mut state = self.lock();
        state.read = None;
        let Some(length) = i64::try_from(state.unread.len()).ok().filter(|&length| length > 0) else {
            return Ok(());
        };
        drop(state);
        match file.seek(SeekFrom::Current(-length)) {
            Ok(_) => self.lock().unread.clear(),
            Err(error) if error.kind() == ErrorKind::NotSeekable => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Notes that a write has failed.
    pub(super) fn fail(&self, number: Number, error: io::Error) {
        self.lock().failed = Some((number, error));
    }

    /// Takes the error of this write, or, without a number, the error of any write that has failed.
    pub(super) fn failure(&self, number: Option<Number>) -> Option<io::Error> {
        let mut state = self.lock();
        let failed = state.failed.take_if(|(writer, _)| number.is_none_or(|number| *writer == number));
        failed.map(|(_, error)| error)
    }
}
