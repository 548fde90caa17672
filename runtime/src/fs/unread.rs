//! What threads have done for futures that may have been dropped.
//!
//! A thread that reads cannot be called back, so a future that is dropped meanwhile, in a `select!` say, would
//! take with it what the thread then reads. Therefore nothing that was read goes to a future directly: the
//! thread puts it down here, with the number of the read, and the future comes for it. What nobody comes for
//! stays, and is what the next read returns. The place in the file *as a user sees it* is behind what was given
//! out: the system's place, less what is kept. An error of a write is kept in the same way, for the next write.
//!
//! A future that was not dropped, and not polled either, must not hold up those after it. So the number is no
//! lock: the next operation waits for one tick, and then takes what is there. The earlier read, should it be
//! polled after all, begins again.

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
    /// What was read and not given out.
    unread: Vec<u8>,
    /// Which read may come for so many of them.
    read: Option<(Number, usize)>,
    /// Which write has failed, and nobody has heard of it.
    failed: Option<(Number, io::Error)>,
}

/// See the [module](self).
#[derive(Default)]
pub(super) struct Kept(Mutex<UnreadState>);

impl Kept {
    /// Never waits long: it is held only to move something.
    fn lock(&self) -> MutexGuard<'_, UnreadState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for an operation.
    pub(super) fn number(&self) -> Number {
        let mut state = self.lock();
        state.next += 1;
        state.next
    }

    /// Whether something was read and not given out.
    pub(super) fn has_unread(&self) -> bool {
        !self.lock().unread.is_empty()
    }

    /// Gives out as much of what is unread.
    pub(super) fn take_some(&self, most: usize) -> Vec<u8> {
        let mut state = self.lock();
        state.read = None;
        let length = state.unread.len().min(most);
        state.unread.drain(..length).collect()
    }

    /// Takes all that is unread, for who reads next.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut state = self.lock();
        state.read = None;
        std::mem::take(&mut state.unread)
    }

    /// Puts down what was read: the first `most` of it for this read, the rest for the next one.
    pub(super) fn put(&self, bytes: Vec<u8>, number: Number, most: usize) {
        let mut state = self.lock();
        state.read = Some((number, bytes.len().min(most)));
        state.unread = bytes;
    }

    /// Puts down what was read before a read has failed: for the next one.
    pub(super) fn put_back(&self, bytes: Vec<u8>) {
        self.lock().unread = bytes;
    }

    /// Comes for what this read has read. None if another operation has taken it.
    pub(super) fn collect(&self, number: Number) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let (_, length) = state.read.take_if(|(reader, _)| *reader == number)?;
        let rest = state.unread.split_off(length);
        Some(std::mem::replace(&mut state.unread, rest))
    }

    /// Moves the system's place to where the user sees it, before something is done there. What cannot be
    /// moved about in, such as a pipe, keeps what was read.
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

    /// Comes for the error of this write; or, without a number, of whichever has failed.
    pub(super) fn failure(&self, number: Option<Number>) -> Option<io::Error> {
        let mut state = self.lock();
        let failed = state.failed.take_if(|(writer, _)| number.is_none_or(|number| *writer == number));
        failed.map(|(_, error)| error)
    }
}
