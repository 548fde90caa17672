//! A bell between two tasks: the smallest primitive that blocks, the same for every peer, so that
//! what is timed is the scheduler alone.

use crate::measure::{Figures, Stopwatch};
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
};

#[derive(Debug, Default)]
struct State {
    rung: Cell<bool>,
    listener: RefCell<Option<Waker>>,
}

/// A bell that one task hears.
#[derive(Debug, Clone, Default)]
pub struct Bell(Rc<State>);

impl Bell {
    /// Wakes the task that listens; if there is none yet, the next one is not kept waiting.
    pub fn ring(&self) {
        self.0.rung.set(true);
        if let Some(waker) = &*self.0.listener.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Waits until it has been rung since the last time.
    pub async fn heard(&self) {
        poll_fn(|cx| {
            if self.0.rung.take() {
                return Poll::Ready(());
            }
            let mut listener = self.0.listener.borrow_mut();
            match &mut *listener {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }
}

/// Many tasks, each with a bell, of which one at a time is rung and rings back.
#[derive(Debug, Clone)]
pub struct Belfry {
    bells: Rc<[Bell]>,
    answer: Bell,
    over: Rc<Cell<bool>>,
}

impl Belfry {
    /// One with a bell for each of `tasks`.
    pub fn new(tasks: usize) -> Belfry {
        let bells = (0..tasks).map(|_| Bell::default()).collect();
        Belfry { bells, answer: Bell::default(), over: Rc::default() }
    }

    /// How many bells there are.
    pub fn tasks(&self) -> usize {
        self.bells.len()
    }

    /// What task number `which` does: answers until all is over.
    pub async fn answer(self, which: usize) {
        loop {
            self.bells[which].heard().await;
            if self.over.get() {
                return;
            }
            self.answer.ring();
        }
    }

    /// Rings bells in no order and awaits each answer, `n` times.
    async fn ring(&self, n: usize) {
        let tasks = self.tasks() as u64;
        // A multiplicative generator: its high bits jump about all tasks.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..n {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let which = ((state >> 32) * tasks) >> 32;
            self.bells[which as usize].ring();
            self.answer.heard().await;
        }
    }

    /// Times `n` rings, after some that are not counted, and ends all tasks.
    pub async fn time(&self, n: usize) -> Figures {
        self.ring(n / 10).await;
        let watch = Stopwatch::start();
        self.ring(n).await;
        let figures = watch.per(n);
        self.close();
        figures
    }

    /// Ends all tasks.
    fn close(&self) {
        self.over.set(true);
        for bell in &*self.bells {
            bell.ring();
        }
    }
}
