//! Compares this runtime with trio: reads programs and trio's traces from standard input, one a line,
//! and prints each that differs. Arguments, in any order: `guest` runs the programs as guests of a loop of its own;
//! `all` prints whatever differs, also what is to be expected.
//! See `tests/differential/README.md`.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
    process::ExitCode,
};
use terzetto_tests::differential::{Comparison, Mode, compare};

fn main() -> io::Result<ExitCode> {
    let (mut mode, mut prints_all) = (Mode::Ordinary, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "guest" => mode = Mode::Guest,
            "all" => prints_all = true,
            other => {
                writeln!(io::stderr(), "an argument is `{other}`, and may be `guest` or `all`")?;
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    let (mut all, mut different) = (0, 0);
    let mut known = BTreeMap::<&str, usize>::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        all += 1;
        match compare(&line, mode) {
            Comparison::Same => {}
            Comparison::Expected { why, .. } if !prints_all => {
                why.into_iter().for_each(|why| *known.entry(why).or_default() += 1);
            }
            Comparison::Malformed => {
                different += 1;
                writeln!(out, "line {all} holds no program and trace")?;
            }
            Comparison::Different(text) | Comparison::Expected { text, .. } => {
                different += 1;
                writeln!(out, "{line}\n{text}\n")?;
            }
        }
    }
    for (why, count) in known {
        writeln!(out, "{count} as expected: {why}")?;
    }
    writeln!(out, "{all} programs compared, {different} differ")?;
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
