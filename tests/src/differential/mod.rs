//! Random concurrent programs, compared with trio.
//!
//! A program is data: nested statements in JSON, made by `tests/differential/generate.py`. The oracle
//! there runs it on trio and writes down what each task saw; [`run`] does the same here. Two traces
//! that differ are a difference in semantics. `tests/differential/README.md` describes the language.

mod interpret;
mod objects;
mod program;
mod trace;

pub use interpret::run;
pub use program::{Program, Statement};
pub use trace::{Comparison, compare};
