//! State of the process that a fork must not hand down.
//!
//! `fork` copies the memory of the process and only the thread that calls it. A lock that another thread held is
//! held in the child for ever, and a count of what other threads do is never counted down. So whoever waits for
//! such a thing in the child waits without end, and a library cannot hinder a program from forking.
//!
//! State of this kind therefore exists in a few copies, each of which belongs to one process, by its number. A
//! process takes the first copy that nobody has had, when it first needs one. A child finds its parent's copy
//! taken, leaves it alone, and takes the next: as nobody has used that one, nothing in it is locked.
//!
//! Handlers of `pthread_atfork` would be the other way. They can be registered but not taken back, run in forks
//! that this library has nothing to do with, and not in all of them.
//!
//! Nothing here locks, allocates or waits, and [`PerProcess::known`] makes one system call that a signal handler
//! may make (`getpid`).

use std::{
    process,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst},
};

/// So many processes may have had a copy, each forked by the one before. One more takes that of the first, who is
/// its ancestor: what that one had locked in the moment of the fork, if anything, is locked then.
pub(crate) const GENERATIONS: usize = 8;

/// A copy of the state, and whose it is.
pub(crate) struct Slot<T> {
    /// The number of a process; 0: nobody has had it.
    owner: AtomicU32,
    state: T,
}

impl<T> Slot<T> {
    pub(crate) const fn new(state: T) -> Slot<T> {
        Slot { owner: AtomicU32::new(0), state }
    }
}

/// State of which each process has a copy of its own.
pub(crate) struct PerProcess<T> {
    slots: [Slot<T>; GENERATIONS],
    /// Which copy was taken last.
    latest: AtomicUsize,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new(slots: [Slot<T>; GENERATIONS]) -> PerProcess<T> {
        PerProcess { slots, latest: AtomicUsize::new(0) }
    }

    /// The copy of this process, if it has taken one.
    #[cfg(any(feature = "signal", test))]
    pub(crate) fn known(&self) -> Option<&T> {
        self.of(process::id())
    }

    fn of(&self, process: u32) -> Option<&T> {
        self.slots.iter().find(|slot| slot.owner.load(SeqCst) == process).map(|slot| &slot.state)
    }

    /// The copy of this process.
    pub(crate) fn get(&self) -> &T {
        self.get_for(process::id())
    }

    fn get_for(&self, process: u32) -> &T {
        if let Some(own) = self.of(process) {
            return own;
        }
        // All threads of the process look in the same order, so they find the same one.
        let takes = |slot: &Slot<T>| match slot.owner.compare_exchange(0, process, SeqCst, SeqCst) {
            Ok(_) => true,
            Err(owner) => owner == process,
        };
        let place = self.slots.iter().position(takes).unwrap_or_else(|| {
            self.slots[0].owner.store(process, SeqCst);
            0
        });
        self.latest.store(place, SeqCst);
        &self.slots[place].state
    }

    /// The copy that was taken last: that of this process, or of its parent if this one has not taken any. Costs no
    /// system call.
    #[inline]
    pub(crate) fn latest(&self) -> &T {
        &self.slots[self.latest.load(SeqCst)].state
    }
}

#[cfg(test)]
mod tests {
    use super::{GENERATIONS, PerProcess, Slot};
    use std::ptr;

    fn copies() -> PerProcess<u8> {
        PerProcess::new([const { Slot::new(0) }; GENERATIONS])
    }

    #[test]
    fn each_process_has_a_copy_of_its_own() {
        let copies = copies();
        assert!(copies.known().is_none());
        let own: Vec<*const u8> =
            (1..=GENERATIONS as u32).map(|id| ptr::from_ref(copies.get_for(id))).collect();
        for (place, &copy) in own.iter().enumerate() {
            assert!(own[..place].iter().all(|&other| other != copy));
            assert!(ptr::eq(copies.get_for(place as u32 + 1), copy), "it stays");
        }
        assert!(ptr::eq(copies.latest(), own[GENERATIONS - 1]));
        // One more has to share.
        assert!(ptr::eq(copies.get_for(1000), own[0]) && ptr::eq(copies.get_for(1000), own[0]));
    }

    #[test]
    fn this_process_has_one_copy() {
        let copies = copies();
        let own = copies.get();
        assert!(ptr::eq(copies.get(), own) && ptr::eq(copies.latest(), own));
        assert!(copies.known().is_some_and(|known| ptr::eq(known, own)));
    }
}

/// For tests: children.
#[cfg(all(test, not(loom)))]
pub(crate) mod forked {
    use std::{
        io,
        panic::{AssertUnwindSafe, catch_unwind},
        ptr, thread,
        time::{Duration, Instant},
    };

    /// Calls `f` in a forked child. Returns whether it returned there in time; if not, the child is killed.
    pub(crate) fn returns_in_a_child(f: impl FnOnce()) -> bool {
        // ThreadSanitizer ends children that make threads.
        if std::env::var_os("TERZETTO_SANITIZED").is_some() {
            return true;
        }
        // SAFETY: the child has this thread only, and calls `f`, which waits for no other thread. Of the C library it
        // uses the allocator, which is made to survive a fork, and it leaves by `_exit`, past all that the parent's
        // threads may have under way.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let code = i32::from(catch_unwind(AssertUnwindSafe(f)).is_err());
            // SAFETY: the call ends the process, and runs nothing of ours before.
            unsafe { libc::_exit(code) };
        }
        assert!(child > 0, "{}", io::Error::last_os_error());
        let (start, mut status) = (Instant::now(), 0);
        // SAFETY: the call writes the status to the place given, and to nothing else.
        while unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == 0 {
            if start.elapsed() > Duration::from_secs(20) {
                // SAFETY: it is our child, which nobody has waited for: the number is its own.
                unsafe { libc::kill(child, libc::SIGKILL) };
                // SAFETY: as above; without a place for the status nothing is written.
                unsafe { libc::waitpid(child, ptr::null_mut(), 0) };
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        status == 0
    }
}
