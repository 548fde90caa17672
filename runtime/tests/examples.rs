//! The examples of patterns run to their end, say what they should, and are short. (`guest` needs tokio as its host,
//! `http` is a server that does not end. `easyracer` and `replicated_store` have tests of their own.)
//!
//! `cargo test -p terzetto` builds the examples before this test.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What each example prints.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "chat",
        "Wait: all is sent after 15 s
  Ada reads 1 2 3 4 5 6 7 8 and all is said
  Bob reads 1 2 3 4 5 6 7 8 and all is said
Lag: all is sent after 8 s
  Ada reads 1 2 3 4 5 6 7 8 and all is said
  Bob reads 1 2 (3 missed) 6 7 8 and all is said
  Bob reads 1 2 and is thrown out
Disconnect: all is sent after 8 s
  Ada reads 1 2 3 4 5 6 7 8 and all is said
",
    ),
    ("cores", "a server on each core: 100 echoes\n"),
    ("crawler", "5 pages in 7 requests\n"),
    #[cfg(feature = "hyper")]
    (
        "graceful_server",
        "answered: true
another client can connect: false
the server has ended
",
    ),
    ("happy_eyeballs", "connected to the open port: true\n"),
    (
        "hedged_request",
        "\"tea time\" from attempt 2
\"tea time\" from attempt 1
\"tea time\" from attempt 2
\"tea time\" from attempt 1
\"tea time\" from attempt 2
\"tea time\" from attempt 1
",
    ),
    ("pipeline", "the total is 334334000\n"),
    ("rate_limited", "30 served, 0 turned away, in time: true\n"),
    (
        "supervisor",
        "100\n101\n102\n100\n101\n102\n100\n101\n102
feed failed after 2 restarts within 60 s: the exchange has closed the connection
",
    ),
    ("walk", "20 files, 190 bytes\n"),
    ("work_queue", "5! = 120\n10! = 3628800\n20! = 2432902008176640000\n30! is too large\n"),
];

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).with_extension("rs")
}

/// The program that was built from an example: it lies beside the folder of this test.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    let age = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    assert!(
        age(&program) > age(&source(name)),
        "{} is missing, or older than its source: run `cargo test -p terzetto`, which builds the examples",
        program.display()
    );
    program
}

#[test]
fn examples_of_patterns_run_to_their_end_and_say_what_they_should() {
    for &(name, expected) in EXAMPLES {
        let output = Command::new(program(name)).output().unwrap();
        let (said, failure) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {}\n{failure}", output.status);
        assert_eq!(said, expected, "{name}");
    }
}

/// Lines of code: not blank, no comments, no attributes, no imports. A `main` that only starts the program does not
/// count.
fn lines_of_code(text: &str) -> usize {
    let starts_it = "fn main() -> Result<(), Error> {\n    terzetto::run(program(";
    let text = text.split_once(starts_it).map_or(text, |(pattern, _)| pattern);
    let mut in_import = false;
    let mut lines = 0;
    for line in text.lines().map(str::trim) {
        in_import |= line.starts_with("use ");
        let is_code = !in_import && !line.is_empty() && !line.starts_with("//") && !line.starts_with("#![");
        lines += usize::from(is_code);
        in_import &= !line.ends_with(';');
    }
    lines
}

#[test]
fn examples_of_patterns_have_less_than_40_lines_of_code() {
    // `cores` shows what a server needs, not a pattern.
    for (name, _) in EXAMPLES.iter().filter(|(name, _)| *name != "cores") {
        let lines = lines_of_code(&fs::read_to_string(source(name)).unwrap());
        assert!(lines < 40, "{name}: {lines}");
    }
}
