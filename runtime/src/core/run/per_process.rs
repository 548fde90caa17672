//! State of a process that a forked child must not inherit.
//!
//! `fork` copies the memory of the process, but only the thread that calls it. If another thread held a lock, the
//! lock is held in the child for ever. A count of what other threads do is never counted down there. So code in the
//! child that waits for such a thing waits without end. A library cannot prevent a program from forking.
//!
//! State of this kind therefore exists in a few copies. Each copy belongs to one process, by its number. When a
//! process first needs a copy, it takes the first one that nobody has had. A child finds that its parent process has
//! taken a copy, leaves that alone, and takes the next. Nobody has used the new copy, so nothing in it is locked.
//!
//! Handlers of `pthread_atfork` were the alternative. They can be registered but not removed. They run in forks that
//! this library has nothing to do with, and they do not run in all forks.
//!
//! Nothing here locks, allocates or waits. [`PerProcess::known`] makes one system call, `getpid`, which a signal
//! handler may make.

use std::{
    process,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst},
};

/// How many processes may have a copy, each forked by the one before. One more process takes the copy of the first,
/// which is its ancestor. If the ancestor held a lock at the moment of the fork, that lock is held then.
pub(crate) const GENERATIONS: usize = 8;

/// A copy of the state, and the process that owns it.
pub(crate) struct Slot<T> {
    /// The number of the owning process. 0 means that nobody has had the copy.
    owner: AtomicU32,
    state: T,
}

impl<T> Slot<T> {
    pub(crate) const fn new(state: T) -> Slot<T> {
        Slot { owner: AtomicU32::new(0), state }
    }
}

/// State of which each process has its own copy.
pub(crate) struct PerProcess<T> {
    slots: [Slot<T>; GENERATIONS],
    /// The index of the copy that was taken last.
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

    /// The copy of this process. It is taken if that has not happened before.
    pub(crate) fn get(&self) -> &T {
        self.get_for(process::id())
    }

    fn get_for(&self, process: u32) -> &T {
        if let Some(own) = self.of(process) {
            return own;
        }
        // All threads of the process search in the same order, so they find the same copy.
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

    /// The copy that was taken last. It belongs to this process, or to its parent process if this one has not taken
    /// any. This makes no system call.
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

/// Forked children, for tests.
#[cfg(all(test, not(loom)))]
pub(crate) mod forked {
    use std::{
        io,
        panic::{AssertUnwindSafe, catch_unwind},
        ptr, thread,
        time::{Duration, Instant},
    };

    /// Calls `f` in a forked child. Returns whether it returned there in time.
    pub(crate) fn returns_in_a_child(f: impl FnOnce()) -> bool {
        call_in_a_child(f).unwrap_or(true)
    }

    /// Calls `f` in a forked child. Returns whether it ended the child, or panicked there.
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    pub(crate) fn fails_in_a_child(f: impl FnOnce()) -> bool {
        !call_in_a_child(f).unwrap_or(false)
    }

    /// Whether `f` returned in a forked child in time; if not, the child is killed. None if children cannot be forked
    /// here: ThreadSanitizer ends children that make threads.
    fn call_in_a_child(f: impl FnOnce()) -> Option<bool> {
        if std::env::var_os("TERZETTO_SANITIZED").is_some() {
            return None;
        }
        // SAFETY: the child has this thread only, and calls `f`, which waits for no other thread. The child uses the
        // allocator of the C library, which is made to survive a fork. It leaves by `_exit`, so it touches nothing
        // that the parent's other threads were doing.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let code = i32::from(catch_unwind(AssertUnwindSafe(f)).is_err());
            // SAFETY: the call ends the process, and runs none of our code before.
            unsafe { libc::_exit(code) };
        }
        assert!(child > 0, "{}", io::Error::last_os_error());
        let (start, mut status) = (Instant::now(), 0);
        // SAFETY: the call writes the status to the given place, and to nothing else.
        while unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == 0 {
            if start.elapsed() > Duration::from_secs(20) {
                // SAFETY: it is our child, and nobody has waited for it, so its number is still its own.
                unsafe { libc::kill(child, libc::SIGKILL) };
                // SAFETY: as above. The place for the status is null, so nothing is written.
                unsafe { libc::waitpid(child, ptr::null_mut(), 0) };
                return Some(false);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Some(status == 0)
    }
}
