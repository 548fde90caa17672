//! Processes that share a series: what is made of their reports, and of their deaths.
#![cfg(unix)]

use std::process::Command;

use terzetto_executor::processes::{Processes, ProcessesOutcome, Task};

/// What a process of a part reports is up to its command: here, a shell's.
fn shell(script: impl Fn(Task) -> String + 'static) -> ProcessesOutcome {
    let processes = Processes::new(2, move |task| {
        let mut command = Command::new("sh");
        command.args(["-c", &script(task)]);
        command
    });
    terzetto::run(terzetto::fail_after(60.0, processes.run())).expect("it ends")
}

#[test]
fn whoever_takes_over_counts_what_is_missing() {
    let outcome = shell(|task| match (task.shard.index(), task.again) {
        (1, _) => r"printf 'expected\t1\ndone\ta\n'".to_owned(),
        // Two of five were finished, though only one was told.
        (_, false) => r"printf 'expected\t5\ndone\tb\nfailed\tc\tbad\n'; kill -9 $$".to_owned(),
        (_, true) => r"printf 'expected\t3\nnoise\nfailed\tc\tbad\ndone\td\ndone\te\n'; exit 1".to_owned(),
    });
    assert_eq!((outcome.done, outcome.deaths), (1 + 4, 1));
    assert_eq!(outcome.failed, [("c".to_owned(), "bad".to_owned())]);
    assert_eq!(outcome.given_up, []);
}

#[test]
fn a_part_whose_processes_only_die_is_given_up() {
    let outcome = shell(|task| match task.shard.index() {
        1 => r"printf 'expected\t1\ndone\ta\n'".to_owned(),
        _ => "exit 3".to_owned(),
    });
    assert_eq!((outcome.done, outcome.deaths), (1, 2));
    assert_eq!(outcome.given_up[0].1, "ended with status 3");
}
