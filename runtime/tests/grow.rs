//! The steps of "Grow your own", in the book: each compiles and passes its own tests.

#![allow(missing_docs, dead_code, reason = "the steps are programs of the book, not a library")]
#![forbid(unsafe_code)]

#[path = "../book/grow/01_block_on.rs"]
mod step_01;
#[path = "../book/grow/02_queue.rs"]
mod step_02;
#[path = "../book/grow/03_wakers.rs"]
mod step_03;
#[path = "../book/grow/04_timers.rs"]
mod step_04;
#[path = "../book/grow/05_nursery.rs"]
mod step_05;
#[path = "../book/grow/06_errors.rs"]
mod step_06;
#[path = "../book/grow/07_scopes.rs"]
mod step_07;
#[path = "../book/grow/07_tests.rs"]
mod step_07_tests;
#[path = "../book/grow/08_reactor.rs"]
mod step_08;
#[path = "../book/grow/09_channels.rs"]
mod step_09;
#[path = "../book/grow/10_threads.rs"]
mod step_10;

use std::{fs, path::Path};

#[test]
fn each_step_is_short_and_on_its_page() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("book");
    let pages: String = fs::read_dir(book.join("src/grow"))
        .unwrap()
        .map(|page| fs::read_to_string(page.unwrap().path()).unwrap())
        .collect();
    let mut steps = 0;
    for file in fs::read_dir(book.join("grow")).unwrap() {
        let path = file.unwrap().path();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines < 250, "{} has {lines} lines", path.display());
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(pages.contains(&format!("grow/{name}}}}}")), "{name} is on no page");
        steps += 1;
    }
    assert_eq!(steps, 11);
}
