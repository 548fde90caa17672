//! The steps of "Grow your own", in the book. Each is a crate of its own, with its own tests; here is what the book
//! promises of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A packed crate comes without the steps, which are crates.
fn steps() -> Vec<PathBuf> {
    let Ok(folder) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("book/grow")) else {
        return Vec::new();
    };
    let mut steps: Vec<PathBuf> = folder.map(|step| step.unwrap().path()).collect();
    steps.sort();
    steps
}

/// The sources of a step, and its tests if they are in a file of their own.
fn sources(step: &Path) -> Vec<(PathBuf, String)> {
    let folders = ["src", "tests"].map(|folder| step.join(folder));
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let paths = files.map(|file| file.unwrap().path());
    paths.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn each_step_is_short_and_its_page_shows_all_of_it() {
    let (mut files, mut lines) = (0, 0);
    for step in steps() {
        let name = step.file_name().unwrap().to_string_lossy().into_owned();
        let page = step.join("../../src/grow").join(format!("{name}.md"));
        let page = fs::read_to_string(&page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        for (path, text) in sources(&step) {
            assert!(text.lines().count() < 250, "{} has {} lines", path.display(), text.lines().count());
            let file = path.strip_prefix(step.parent().unwrap()).unwrap().display().to_string();
            assert!(
                page.contains(&format!("{{{{#include ../../grow/{file}}}}}")),
                "{file} is not on its page"
            );
            (files, lines) = (files + 1, lines + text.lines().count());
        }
    }
    assert!(files == 0 || files == 11, "{files}");
    assert!(lines <= 1_500, "all steps together have {lines} lines");
}

#[test]
fn each_step_has_the_tests_of_the_rules_that_it_holds() {
    for step in steps() {
        let name = step.file_name().unwrap().to_string_lossy().into_owned();
        let page = fs::read_to_string(step.join("../../src/grow").join(format!("{name}.md"))).unwrap();
        let tests: String = sources(&step).into_iter().map(|(_, text)| text).collect();
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert!(!rows.is_empty() || name == "01_block_on", "{name} names no rule");
        for row in rows {
            let test = row.split('`').nth(1).unwrap();
            assert!(tests.contains(&format!("fn {test}()")), "{name} has no test {test}");
        }
    }
}
