//! A worker: goes from item to item, in its thread, until there is nothing to do.

use std::{
    cell::RefCell,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Board, State};
use crate::graph::{Hand, ItemError, Key, Watch};

/// A worker's time between its coming and its leaving.
pub(crate) struct Shift {
    board: Arc<Board>,
    /// What the worker holds of each work, made when first needed.
    hands: Vec<Option<Box<dyn Hand>>>,
    arrived: Vec<(Key, Option<ItemError>)>,
    /// Errors that end the run.
    errors: Vec<ItemError>,
    /// The stage whose items have been taken and are worked on next.
    next: Option<usize>,
    /// Nothing was left to do, and the board knows that this worker has left.
    gone: bool,
}

impl Shift {
    /// The worker that was called for a stage has come.
    pub fn called(board: &Arc<Board>, stage: usize) -> Shift {
        board.arrive(stage);
        Shift::new(board)
    }

    /// A worker comes that nobody has called.
    pub fn uncalled(board: &Arc<Board>) -> Shift {
        board.arrive_uncalled();
        Shift::new(board)
    }

    fn new(board: &Arc<Board>) -> Shift {
        let hands = board.stages.iter().map(|_| None).collect();
        let board = board.clone();
        Shift { board, hands, arrived: Vec::new(), errors: Vec::new(), next: None, gone: false }
    }

    /// Works on the next item, or on a few if they are quick. Returns false if there is nothing to
    /// do any more; the worker has left then.
    pub fn turn(&mut self) -> bool {
        let board = self.board.clone();
        if self.next.is_none() && !self.gone {
            self.take(&mut board.lock());
        }
        let Some((index, hand)) =
            self.next.take().and_then(|index| Some((index, self.hands[index].as_mut()?)))
        else {
            return false;
        };
        let stage = &board.stages[index];
        let start = Instant::now();
        let watcher = Watcher {
            board: &board,
            work: &stage.name,
            raised: RefCell::default(),
            errors: RefCell::default(),
        };
        let calls = hand.work(&watcher);
        stage.learn(calls, start.elapsed());
        self.errors.append(&mut watcher.errors.into_inner());
        let mut raised = watcher.raised.into_inner();
        // Delivering and taking in one go: one lock for both.
        let mut state = board.lock();
        state.ends().raised.append(&mut raised);
        hand.deliver(state.ends());
        board.settle(&mut state, index, &mut self.arrived);
        self.take(&mut state);
        drop(state);
        for (key, error) in self.arrived.drain(..) {
            board.tell_arrived(&key, error.as_ref());
        }
        self.next.is_some()
    }

    /// Takes what may start now, or leaves.
    fn take(&mut self, state: &mut State) {
        let Some((index, count)) = self.board.next(state) else {
            // Under the same lock: of two workers that find nothing, the second must see that it is
            // the last.
            self.gone = true;
            self.board.leave(state);
            return;
        };
        let stage = &self.board.stages[index];
        self.hands[index].get_or_insert_with(|| stage.work.clone().hand()).take(count);
        self.next = Some(index);
        self.board.call_help(state, stage.expected(count));
    }

    /// The errors that ended the run.
    pub fn take_errors(&mut self) -> Vec<ItemError> {
        std::mem::take(&mut self.errors)
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        if self.gone {
            return;
        }
        let board = &self.board;
        let mut state = board.lock();
        if let Some(index) = self.next.take()
            && let Some(hand) = &mut self.hands[index]
        {
            // Taken and not touched: it goes back.
            hand.deliver(state.ends());
            board.settle(&mut state, index, &mut self.arrived);
        }
        board.leave(&mut state);
    }
}

/// Passes on what happens in a work.
struct Watcher<'a> {
    board: &'a Board,
    work: &'a Arc<str>,
    raised: RefCell<Vec<ItemError>>,
    /// Those that end the run.
    errors: RefCell<Vec<ItemError>>,
}

impl Watch for Watcher<'_> {
    fn goes_on(&self) -> bool {
        !self.board.is_closed()
    }

    fn is_curious(&self) -> bool {
        !self.board.observers().is_empty()
    }

    fn started(&self, key: &Key) {
        for observer in self.board.observers() {
            observer.started(self.work, key);
        }
    }

    fn finished(&self, key: &Key, elapsed: Duration, error: Option<&ItemError>) {
        for observer in self.board.observers() {
            observer.finished(self.work, key, elapsed, error);
        }
    }

    fn failed(&self, error: &ItemError) {
        for observer in self.board.observers() {
            observer.failed(error);
        }
        self.raised.borrow_mut().push(error.clone());
        if self.board.stops_if_error {
            self.errors.borrow_mut().push(error.clone());
            self.board.close();
        }
    }
}
