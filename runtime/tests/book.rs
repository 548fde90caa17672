//! The book: each of its programs is compiled here, run in a process of its own, and must print what its page shows.
//!
//! `BLESS=1 cargo test -p terzetto --test book` writes what the programs print, what the compiler says, and the
//! timelines into the files that the pages include. Read the difference before you commit it.

#![allow(clippy::print_stdout, reason = "the programs of the book print")]
#![allow(clippy::await_holding_refcell_ref, reason = "one of the mistakes that the book shows")]
#![allow(missing_docs, dead_code, reason = "the programs of the book are programs, not a library")]
#![cfg(all(
    feature = "testing",
    feature = "signal",
    feature = "process",
    feature = "fs",
    feature = "observe"
))]

#[path = "book_support/child.rs"]
mod child;
#[path = "book_support/compiler.rs"]
mod compiler;
#[path = "book_support/dictionary.rs"]
mod dictionary;
#[path = "book_support/files.rs"]
mod files;
#[path = "book_support/list.rs"]
mod list;
#[path = "book_support/pages.rs"]
mod pages;
#[path = "book_support/recorded.rs"]
mod recorded;
#[path = "book_support/timeline.rs"]
mod timeline;

use files::{Expected, book, sources};
use std::collections::BTreeSet;

/// Not a test by itself: the others start this process again, to run one program in it.
#[test]
fn child_runs_the_program_it_was_asked_for() {
    child::run_if_asked(list::PROGRAMS);
}

#[test]
fn every_program_prints_what_its_page_shows() {
    let paths: Vec<&str> = list::PROGRAMS.iter().map(|(path, _)| *path).collect();
    let paths: Vec<&str> = paths.into_iter().filter(|path| !path.starts_with("served/")).collect();
    let mut expected = Expected::default();
    for (path, output) in paths.iter().zip(child::outputs_of(&paths)) {
        expected.compare(&format!("programs/{path}").replace(".rs", ".out"), &output);
        if let Some(drawn) = timeline::drawn_from(&output).filter(|_| timeline::is_wanted(path)) {
            expected.compare(&format!("programs/{path}").replace(".rs", ".timeline"), &drawn);
        }
    }
    expected.report();
}

#[test]
fn every_picture_and_every_recording_is_of_the_program_on_its_page() {
    let mut expected = Expected::default();
    for title in pages::concepts() {
        let recorded = child::recording_of(&format!("concepts/{title}.rs"), &title);
        expected.compare(&format!("src/pictures/{title}.svg"), &recorded.picture);
        expected.compare(&format!("recordings/{title}.json"), &recorded.states);
    }
    expected.report();
}

#[test]
fn the_server_with_graceful_shutdown_serves_and_stops() {
    let mut expected = Expected::default();
    for path in ["served/echo.rs", "served/echo_tokio.rs"] {
        let dialogue = child::dialogue_with_server(path);
        expected.compare(&format!("programs/{path}").replace(".rs", ".out"), &dialogue);
    }
    expected.report();
}

#[test]
fn every_mistake_that_must_not_compile_is_refused_as_its_page_says() {
    let compiler = compiler::Compiler::new();
    let mut expected = Expected::default();
    for path in sources().into_iter().filter(|path| files::must_not_compile(path)) {
        let message = compiler.message(&path);
        expected.compare_by(&path.replace(".rs", ".err"), &message, compiler::headlines);
    }
    expected.report();
}

#[test]
fn every_page_on_a_concept_has_all_its_parts() {
    let faults = pages::parts_that_are_missing();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_mistake_is_in_the_table_of_compile_errors() {
    let faults = pages::mistakes_without_a_row();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_program_is_in_the_list_and_on_a_page() {
    let listed: BTreeSet<String> =
        list::PROGRAMS.iter().map(|(path, _)| format!("programs/{path}")).collect();
    let included = pages::included_files();
    let shown = pages::pictures();
    let mut faults = Vec::new();
    for path in sources() {
        if !files::must_not_compile(&path) && !listed.contains(&path) {
            faults.push(format!("{path} is not in tests/book_support/list.rs: nothing compiles it"));
        }
        if !included.contains(&path) {
            faults.push(format!("{path} is on no page"));
        }
    }
    for title in pages::concepts() {
        if !shown.contains(&format!("src/pictures/{title}.svg")) {
            faults.push(format!("the picture of {title} is on no page"));
        }
        if !included.contains(&format!("recordings/{title}.json")) {
            faults.push(format!("the recording of {title} is on no page"));
        }
    }
    for path in files::companions() {
        let source = path.rsplit_once('.').map(|(stem, _)| format!("{stem}.rs")).unwrap_or_default();
        if !book().join(&source).exists() {
            faults.push(format!("{path} belongs to no program"));
        }
        if path.ends_with(".py") && !included.contains(&path) {
            faults.push(format!("{path} is on no page"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_include_link_and_page_of_the_summary_exists() {
    let faults = pages::faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_rule_names_tests_that_exist() {
    let faults = pages::rules_without_tests();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_feature_of_the_crate_is_on_its_page() {
    let faults = pages::faults_of_features();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_name_in_the_dictionaries_exists() {
    let mut faults = Vec::new();
    let mut program = String::from("fn main() {}\n");
    for page in ["src/dictionary/trio.md", "src/dictionary/tokio.md", "src/dictionary/asyncio.md"] {
        for path in pages::counterparts(page) {
            match dictionary::item_of(&path) {
                // The library beside this test may have been built without this module's features.
                item if item.starts_with("compat::") => {}
                item => program += &format!("const _: () = {{ #[allow(unused)] use terzetto::{item}; }};\n"),
            }
            if !dictionary::source_has(&path) {
                faults.push(format!("{page}: the crate has no `{path}`"));
            }
        }
    }
    let refused = compiler::Compiler::new().refusal_of_text(&program);
    faults.extend(refused);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
