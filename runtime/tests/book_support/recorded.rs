//! `terzetto` as the programs of the book see it: the crate, whose runs are recorded if that is wanted.
//!
//! A picture must be of the program that its page shows. So nothing about recording stands in the programs. Instead they
//! are compiled with this module under the crate's name, and with a `println!` that also tells the recorder.

pub use ::terzetto::*;
use ::terzetto::{
    observe::{Recorder, StateRecorder},
    testing::MockClock,
};
use std::{cell::RefCell, fmt::Arguments, rc::Rc};

thread_local! {
    static RECORDERS: RefCell<Option<(Rc<Recorder>, Rc<StateRecorder>)>> = const { RefCell::new(None) };
}

/// What was recorded of a program.
pub struct Recorded {
    pub picture: String,
    pub states: String,
}

/// From now on, runs of this thread are recorded.
pub fn begin() {
    RECORDERS.set(Some((Recorder::new(), StateRecorder::new())));
}

/// What was recorded since `begin`, of the program in a file.
pub fn end(title: &str, file: &str) -> Recorded {
    let (recorder, states) = RECORDERS.take().expect("the recording has begun");
    let source = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    Recorded { picture: recorder.timeline().svg(), states: states.json(title, &source) }
}

/// Prints a line, and notes it in the recording of this thread.
#[track_caller]
pub fn print_line(text: Arguments<'_>) {
    println!("{text}");
    let line = std::panic::Location::caller().line();
    RECORDERS.with_borrow(|recorders| {
        if let Some((_, states)) = recorders {
            text.to_string().split('\n').for_each(|text| states.note_output(line, text));
        }
    });
}

/// The builder of the crate.
pub struct Builder;

impl Builder {
    #[allow(clippy::new_ret_no_self, reason = "it stands for the builder of the crate")]
    pub fn new() -> ::terzetto::Builder {
        let builder = ::terzetto::Builder::new();
        RECORDERS.with_borrow(|recorders| match recorders {
            Some((recorder, states)) => builder.record(recorder.clone()).instrument(states.clone()),
            None => builder,
        })
    }
}

/// The crate's `run`. A recorded run has a clock that stands still, so that each recording is the same.
pub fn run<T>(main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match RECORDERS.with_borrow(Option::is_some) {
        true => Builder::new().clock(MockClock::new()).run(main),
        false => ::terzetto::run(main),
    }
}
