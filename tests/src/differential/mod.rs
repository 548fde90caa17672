//! Random concurrent programs, compared with trio.
//!
//! A program is data: nested statements in JSON, made by `tests/differential/generate.py`. The oracle
//! there runs it on trio and writes down what each task saw; [`run()`] does the same here. Two traces
//! that differ are a difference in semantics. `tests/differential/README.md` describes the language.

mod expected;
mod hold;
mod interpret;
mod message_words;
mod messages;
mod objects;
mod outside;
mod outside_words;
mod pacing;
mod pacing_words;
mod pattern_words;
mod patterns;
mod program;
mod run;
mod sync;
mod sync_words;
mod threads;
mod trace;
mod watch;

pub use message_words::{BroadcastSpec, MessageAction};
pub use outside_words::{Making, OutsideAction, ThreadStatement};
pub use pacing_words::{PacingAction, RateSpec, Supervised};
pub use pattern_words::{NamedBlock, PatternAction};
pub use program::{Action, Program, Statement};
pub use run::{Mode, run};
pub use sync_words::SyncAction;
pub use trace::{Comparison, compare};
