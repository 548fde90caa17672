//! Holding the clock while something happens in real time.
//!
//! A mock clock jumps when all tasks are blocked, and a thread or a process is no task. So as long as one is
//! *under way*, a system task is kept runnable. A thread is under way unless it waits at a gate, or for a block
//! that the loop runs on its behalf.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};
use terzetto::lowlevel::{cancel_shielded_checkpoint, spawn_system_task};

/// What the loop and the threads know.
#[derive(Debug, Default)]
struct State {
    open: Vec<bool>,
    waiting: Vec<usize>,
    under_way: usize,
    over: bool,
}

impl State {
    fn let_through(&mut self, gate: usize) {
        self.open[gate] = true;
        self.under_way += std::mem::take(&mut self.waiting[gate]);
    }
}

/// The gates at which threads wait, and how much is under way.
#[derive(Debug, Default)]
pub(super) struct Gates {
    state: Mutex<State>,
    changed: Condvar,
}

impl Gates {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In a thread: waits for a gate to open. Returns whether the main task has ended, and the thread is to end, too.
    pub(super) fn wait(&self, gate: usize) -> bool {
        let mut state = self.lock();
        if !state.open[gate] && !state.over {
            state.waiting[gate] += 1;
            state.under_way -= 1;
            while !state.open[gate] && !state.over {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        state.over
    }

    pub(super) fn is_over(&self) -> bool {
        self.lock().over
    }
}

/// The loop's side.
#[derive(Clone)]
pub(super) struct Hold {
    pub(super) gates: Arc<Gates>,
    spins: Rc<Cell<bool>>,
}

impl Hold {
    pub(super) fn new(gates: usize) -> Hold {
        let state = State { open: vec![false; gates], waiting: vec![0; gates], ..State::default() };
        let gates = Gates { state: Mutex::new(state), changed: Condvar::new() };
        Hold { gates: Arc::new(gates), spins: Rc::default() }
    }

    pub(super) fn begin(&self) {
        self.gates.lock().under_way += 1;
        self.spin();
    }

    pub(super) fn end(&self) {
        self.gates.lock().under_way -= 1;
    }

    /// Holds the clock until it is dropped.
    pub(super) fn held(&self) -> Held {
        self.begin();
        Held(self.clone())
    }

    fn spin(&self) {
        let idle = { self.gates.lock() }.under_way == 0;
        if idle || self.spins.get() {
            return;
        }
        let hold = self.clone();
        let started = spawn_system_task("holds the clock", async move {
            while { hold.gates.lock() }.under_way > 0 {
                cancel_shielded_checkpoint().await;
            }
            hold.spins.set(false);
            Ok(())
        });
        // Refused, it is not needed any more: the main task has ended.
        self.spins.set(started.is_ok());
    }

    pub(super) fn open(&self, gate: usize) {
        self.gates.lock().let_through(gate);
        self.gates.changed.notify_all();
        self.spin();
    }

    pub(super) fn open_all(&self) {
        let gates = self.gates.lock().open.len();
        (0..gates).for_each(|gate| self.open(gate));
    }

    /// Whether the main task of a program with threads has ended. The clock is not held for threads any more, so nobody
    /// knows what happens when.
    pub(super) fn is_over(&self) -> bool {
        let state = self.gates.lock();
        state.over && !state.open.is_empty()
    }

    /// The main task has ended: whatever a thread still does, nobody looks.
    pub(super) fn finish(&self) {
        let mut state = self.gates.lock();
        state.over = true;
        (0..state.open.len()).for_each(|gate| state.let_through(gate));
        drop(state);
        self.gates.changed.notify_all();
    }
}

/// While it lives the clock is held.
pub(super) struct Held(Hold);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// How far a thread is, and whether the task that waited for it has left. Whoever comes last says that it is
/// no longer under way.
#[derive(Debug, Default)]
struct Progress {
    began: bool,
    ended: bool,
    left: bool,
}

/// A thread that is under way.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    gates: Arc<Gates>,
    progress: Arc<Mutex<Progress>>,
}

impl UnderWay {
    pub(super) fn new(hold: &Hold) -> UnderWay {
        hold.begin();
        UnderWay { gates: hold.gates.clone(), progress: Arc::default() }
    }

    fn change<R>(&self, change: impl FnOnce(&mut Progress, &mut State) -> R) -> R {
        let mut state = self.gates.lock();
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut progress, &mut state)
    }

    /// In the thread. Returns false if nobody waits for it any more.
    pub(super) fn begin(&self) -> bool {
        self.change(|progress, _| {
            progress.began = !progress.left;
            progress.began
        })
    }

    /// In the thread.
    pub(super) fn end(&self) {
        self.change(|progress, state| {
            progress.ended = true;
            if progress.left {
                state.under_way -= 1;
            }
        });
    }

    /// In the task that waited. Returns whether the thread has ended.
    pub(super) fn leave(&self) -> bool {
        self.change(|progress, state| {
            progress.left = true;
            if !progress.began || progress.ended {
                state.under_way -= 1;
            }
            progress.ended
        })
    }
}
