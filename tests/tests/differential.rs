//! The corpus of programs with trio's traces, replayed: see `tests/differential/README.md`.

use std::{fs, path::Path};
use terzetto_tests::differential::{Comparison, Mode, compare};

fn replay(name: &str, least: usize, mode: Mode) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/corpus").join(name);
    let text = fs::read_to_string(path).expect("the corpus is part of the project");
    let mut compared = 0;
    for line in text.lines() {
        match compare(line, mode) {
            Comparison::Same | Comparison::Expected { .. } => compared += 1,
            Comparison::Malformed => panic!("no program and trace: {line}"),
            Comparison::Different(text) => panic!("{line}\n{text}"),
        }
    }
    assert!(compared >= least, "{compared} programs");
}

#[test]
fn programs_chosen_for_variety_agree_with_trio() {
    replay("chosen.jsonl", 100, Mode::Ordinary);
    replay("wider.jsonl", 100, Mode::Ordinary);
    replay("patterns.jsonl", 100, Mode::Ordinary);
    replay("messages.jsonl", 50, Mode::Ordinary);
    replay("pacing.jsonl", 50, Mode::Ordinary);
}

#[test]
fn programs_agree_with_trio_as_guests() {
    replay("chosen.jsonl", 100, Mode::Guest);
    replay("wider.jsonl", 100, Mode::Guest);
}

#[test]
fn programs_that_once_differed_agree_with_trio() {
    replay("found.jsonl", 20, Mode::Ordinary);
    replay("found.jsonl", 20, Mode::Guest);
}

#[test]
fn a_wrong_trace_is_noticed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/corpus/found.jsonl");
    let text = fs::read_to_string(path).expect("the corpus is part of the project");
    let line = text.lines().nth(1).expect("a second program");
    let wrong = line.replacen("[true, true]", "[false, true]", 1);
    assert_ne!(line, wrong);
    assert!(matches!(compare(&wrong, Mode::Ordinary), Comparison::Different(_)));
}
