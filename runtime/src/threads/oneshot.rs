//! A oneshot: one value, once, from a worker thread to the task that waits for it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

enum State<T> {
    Empty,
    Waiting(Waker),
    Full(T),
    Taken,
}

struct Slot<T>(Mutex<State<T>>);

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Give<T>(Arc<Slot<T>>);

pub(crate) struct Take<T>(Arc<Slot<T>>);

pub(crate) fn oneshot<T>() -> (Give<T>, Take<T>) {
    let slot = Arc::new(Slot(Mutex::new(State::Empty)));
    (Give(slot.clone()), Take(slot))
}

impl<T> Give<T> {
    /// Puts the value in and wakes who waits for it. If nobody will ever take it, it is dropped here.
    pub(crate) fn give(self, value: T) {
        let before = std::mem::replace(&mut *self.0.lock(), State::Full(value));
        if let State::Waiting(waker) = before {
            waker.wake();
        }
    }
}

impl<T> Take<T> {
    /// Takes the value, or leaves a waker.
    pub(crate) fn poll(&self, waker: &Waker) -> Option<T> {
        let mut state = self.0.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Full(value) => Some(value),
            State::Taken => None,
            State::Empty | State::Waiting(_) => {
                *state = State::Waiting(waker.clone());
                None
            }
        }
    }
}
