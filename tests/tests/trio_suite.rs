//! The tables of `trio-suite/` name tests of this project. Each of them must be there.
//!
//! `trio-suite/check` compares more: it needs a Python that has trio. This needs nothing, so a test that is moved or
//! renamed is noticed at once.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The file that a name like `channel` or `runtime/src/threads/pool.rs` stands for.
fn file_of(place: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    if place.ends_with(".rs") {
        tests.join("..").join(place)
    } else {
        tests.join(format!("tests/{place}.rs"))
    }
}

#[test]
fn the_tests_that_the_tables_name_are_there() {
    let mut texts = BTreeMap::new();
    let (mut named, mut missing) = (0, Vec::new());
    for table in ["core.md", "library.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("trio-suite").join(table);
        let text = fs::read_to_string(path).expect("the tables are part of the project");
        // Every second part is between backticks.
        for name in text
            .lines()
            .filter(|line| line.starts_with('|'))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
        {
            let Some((place, test)) = name.split_once("::") else { continue };
            let is_test =
                |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_test(test) || place.contains(['(', ' ']) {
                continue;
            }
            named += 1;
            let source =
                texts.entry(place.to_owned()).or_insert_with(|| fs::read_to_string(file_of(place)).ok());
            if !source.as_ref().is_some_and(|source| source.contains(&format!("fn {test}("))) {
                missing.push(format!("{table}: {name}"));
            }
        }
    }
    assert!(named > 400, "only {named} tests are named");
    assert!(missing.is_empty(), "there are no such tests:\n{}", missing.join("\n"));
}
