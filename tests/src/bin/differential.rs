//! Compares this runtime with trio: reads programs and trio's traces from standard input, one a line,
//! and prints each that differs. With `guest`, runs them as guests of a loop of its own. See `tests/differential/README.md`.

use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
};
use terzetto_tests::differential::{Comparison, Mode, compare};

fn main() -> io::Result<ExitCode> {
    let mode = match std::env::args().nth(1).as_deref() {
        None => Mode::Ordinary,
        Some("guest") => Mode::Guest,
        Some(other) => {
            writeln!(io::stderr(), "the argument may be `guest`, and is `{other}`")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let (mut all, mut different) = (0, 0);
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        all += 1;
        match compare(&line, mode) {
            Comparison::Same => {}
            Comparison::Malformed => writeln!(out, "line {all} holds no program and trace")?,
            Comparison::Different(text) => {
                different += 1;
                writeln!(out, "{line}\n{text}\n")?;
            }
        }
    }
    writeln!(out, "{all} programs compared, {different} differ")?;
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
