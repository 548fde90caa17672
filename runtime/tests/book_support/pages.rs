//! The pages of the book: what they include, where their links lead, which tests they name.

use super::files::{below, book};
use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::{Component, Path, PathBuf},
};

fn text_of(page: &str) -> String {
    fs::read_to_string(book().join(page)).unwrap()
}

/// The parts of a text between two marks.
fn between<'a>(text: &'a str, begins: &'a str, ends: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(begins).skip(1).filter_map(move |rest| rest.split(ends).next())
}

/// A path without `..`, seen from the page's folder.
fn resolved(page: &str, target: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in Path::new(page).parent().unwrap().join(target).components() {
        match part {
            // Out of the book, if the path begins with it.
            Component::ParentDir if path.file_name().is_none() => path.push(part),
            Component::ParentDir => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path
}

/// The headings of a page, as mdBook names them in links, and the elements that have a name.
fn headings(page: &str) -> HashSet<String> {
    let text = text_of(page);
    let titles = text.lines().filter(|line| line.starts_with('#'));
    let named = between(&text, " id=\"", "\"").map(str::to_owned);
    titles
        .map(|title| {
            let kept = title.trim_start_matches('#').trim().chars();
            let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
        })
        .chain(named)
        .collect()
}

/// What a page includes: the file, and the anchor if only a part is shown.
fn includes(page: &str) -> Vec<(PathBuf, Option<String>)> {
    includes_in(page, &text_of(page))
}

/// The same of a part of the page.
fn includes_in(page: &str, text: &str) -> Vec<(PathBuf, Option<String>)> {
    between(text, "{{#include ", "}}")
        .map(|what| match what.split_once(':') {
            Some((file, anchor)) => (resolved(page, file), Some(anchor.to_owned())),
            None => (resolved(page, what), None),
        })
        .collect()
}

/// All files that some page includes, relative to the book.
pub fn included_files() -> BTreeSet<String> {
    let pages = below("src", &[".md"]);
    let paths = pages.iter().flat_map(|page| includes(page)).map(|(path, _)| path);
    paths.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// The names of the pages on concepts, which are those of their programs.
pub fn concepts() -> Vec<String> {
    let pages = below("src/concepts", &[".md"]).into_iter();
    let names = pages.map(|page| page["src/concepts/".len()..page.len() - ".md".len()].to_owned());
    names.filter(|name| name != "concepts").collect()
}

/// What a page on a concept must have, and does not.
pub fn parts_that_are_missing() -> Vec<String> {
    let mut faults = Vec::new();
    for name in concepts() {
        let text = text_of(&format!("src/concepts/{name}.md"));
        let section = |title: &str| {
            text.split("\n## ").find(|section| section.lines().next().unwrap().ends_with(title))
        };
        let mut parts = vec![
            ("a program", section("A program").is_some_and(|s| s.contains(&format!("concepts/{name}.rs")))),
            (
                "a picture",
                section("Its timeline").is_some_and(|s| s.contains(&format!("pictures/{name}.svg)"))),
            ),
            (
                "a way to the machine",
                section("Its timeline").is_some_and(|s| s.contains(&format!("machine.md#{name})"))),
            ),
            ("what happens, step by step", section("What happens").is_some_and(|s| s.contains("\n1. "))),
            (
                "an exercise with a solution",
                section("Exercise").is_some_and(|s| s.contains(&format!("{name}_solution.rs"))),
            ),
        ];
        let mistakes: Vec<&str> = section("mistakes").unwrap_or_default().split("\n### ").skip(1).collect();
        let told = |mistake: &&str| {
            mistake.contains(".rs") && (mistake.contains(".out") || mistake.contains(".err"))
        };
        parts.push((
            "three mistakes with what is said of them",
            mistakes.iter().filter(|m| told(m)).count() >= 3,
        ));
        faults.extend(
            parts.iter().filter(|(_, there)| !there).map(|(part, _)| format!("{name}.md has not {part}")),
        );
    }
    faults
}

/// Mistakes of the book that the crate's page on errors of the compiler does not name.
pub fn mistakes_without_a_row() -> Vec<String> {
    let table = fs::read_to_string(book().join("../docs/compile-errors.md")).unwrap();
    let mut faults = Vec::new();
    for name in concepts() {
        let page = format!("src/concepts/{name}.md");
        let text = text_of(&page);
        for section in text.split("\n#").filter(|section| section.contains("_refused.err")) {
            let heading = section.lines().next().unwrap().trim_start_matches('#').trim();
            let numbers = includes_in(&page, section)
                .into_iter()
                .filter(|(file, _)| file.extension().is_some_and(|e| e == "err"));
            for (file, _) in numbers {
                let message = fs::read_to_string(book().join(file)).unwrap();
                let first = message.lines().find(|line| line.starts_with("error")).unwrap();
                let error = first
                    .strip_prefix("error: ")
                    .unwrap_or_else(|| &first["error[".len()..first.find(']').unwrap()]);
                if !table.lines().any(|row| {
                    row.starts_with(&format!("| {error} | {heading} | "))
                        && row.ends_with(&format!("`concepts/{name}.md` |"))
                }) {
                    faults.push(format!(
                        "docs/compile-errors.md has no row for {error}, {heading:?} of {page}"
                    ));
                }
            }
        }
    }
    faults
}

/// All pictures that some page shows, relative to the book.
pub fn pictures() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for page in below("src", &[".md"]) {
        for shown in between(&text_of(&page), "![", ")").filter_map(|picture| picture.split_once("](")) {
            found.insert(resolved(&page, shown.1).to_string_lossy().into_owned());
        }
    }
    found
}

/// Includes, anchors and links that lead nowhere, and pages that the summary does not list.
pub fn faults() -> Vec<String> {
    let mut faults = Vec::new();
    let summary: HashSet<PathBuf> = between(&text_of("src/SUMMARY.md"), "](", ")")
        .filter(|target| !target.is_empty())
        .map(|target| resolved("src/SUMMARY.md", target))
        .collect();
    for page in below("src", &[".md"]) {
        for (file, anchor) in includes(&page) {
            if file.starts_with("grow") && !book().join("grow").exists() {
                continue; // a packaged crate comes without the steps, which are crates
            }
            match (fs::read_to_string(book().join(&file)), anchor) {
                (Err(error), _) => faults.push(format!("{page} includes {}: {error}", file.display())),
                (Ok(text), Some(anchor)) if !text.contains(&format!("ANCHOR: {anchor}\n")) => {
                    faults.push(format!("{page}: {} has no anchor {anchor}", file.display()));
                }
                _ => {}
            }
        }
        let text = text_of(&page);
        if text.lines().any(|line| line.starts_with(' ') && line.contains("{{#include")) {
            faults.push(format!("{page}: what is included would not be indented as the line is"));
        }
        // A snippet that is written into a page is one that nobody has run.
        for language in ["```rust\n", "```python\n", "```text\n"] {
            for written in between(&text, language, "```").filter(|block| !block.starts_with("{{#include")) {
                faults.push(format!("{page}: a snippet is not a file: {written}"));
            }
        }
        for target in between(&text, "](", ")") {
            let file = target.split('#').next().unwrap();
            if file.contains("://") || target.contains('`') {
                continue;
            }
            let file = if file.is_empty() { page.rsplit('/').next().unwrap() } else { file };
            let linked = resolved(&page, file);
            let heading = target.split_once('#').map(|(_, heading)| heading);
            if !book().join(&linked).exists() {
                faults.push(format!("{page} links to {target}, which does not exist"));
            } else if heading.is_some_and(|heading| !headings(&linked.to_string_lossy()).contains(heading)) {
                faults.push(format!("{page} links to {target}, and there is no such heading"));
            }
        }
        if page != "src/SUMMARY.md" && !summary.contains(Path::new(&page)) {
            faults.push(format!("{page} is not in the summary"));
        }
    }
    faults
}

/// Features that the page on them does not name, or names in the wrong table.
pub fn faults_of_features() -> Vec<String> {
    let manifest = fs::read_to_string(book().join("../Cargo.toml")).unwrap();
    let section = between(&manifest, "\n[features]\n", "\n[").next().unwrap();
    let declared = section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let mut declared: BTreeSet<&str> = declared.filter_map(|line| line.split(" = ").next()).collect();
    let default = section.lines().find(|line| line.starts_with("default = ")).unwrap();
    let default: BTreeSet<&str> = between(default, "\"", "\"").step_by(2).collect();
    declared.remove("default");
    let others = declared.difference(&default).copied().collect();
    let text = text_of("src/features.md");
    let mut faults = Vec::new();
    for (header, expected) in [("what it provides |", default), ("what it adds |", others)] {
        let table = between(&text, header, "\n\n").next().unwrap_or_default();
        let named = table.lines().filter_map(|row| between(row, "| `", "`").next());
        let named: BTreeSet<&str> = named.collect();
        if named != expected {
            faults.push(format!(
                "src/features.md has {named:?} under {header:?}, and should have {expected:?}"
            ));
        }
    }
    faults
}

/// The names of this crate in a dictionary's second column.
pub fn counterparts(page: &str) -> Vec<String> {
    let text = text_of(page);
    // A row has three cells; what has no counterpart is in tables of two.
    let rows = text.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() > 1);
    let cells = rows.filter_map(|line| line.split(" | ").nth(1));
    cells.flat_map(|cell| between(cell, "`", "`").step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// How tables of rules begin. Their last column names tests.
const RULES: [&str; 3] =
    ["| rule | tests |", "| what holds it | test |", "| the test of this step | the test of the real one |"];

/// Names of tests in tables of rules that no test has, and rules that name no test.
pub fn rules_without_tests() -> Vec<String> {
    let mut faults = Vec::new();
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tests").exists() {
        return faults; // a packaged crate comes without those tests
    }
    let tests = names_of_tests();
    let mut rules = 0;
    for page in below("src", &[".md"]) {
        let text = text_of(&page) + "\n\n";
        let rows = RULES.iter().flat_map(|header| {
            between(&text, header, "\n\n").flat_map(|table| table.lines().skip(2)).collect::<Vec<_>>()
        });
        for row in rows {
            let last = row.rsplit(" | ").next().unwrap();
            let named: Vec<&str> = between(last, "`", "`").step_by(2).collect();
            if named.is_empty() {
                faults.push(format!("{page}: this rule names no test: {row}"));
            }
            let unknown = named.into_iter().filter(|name| !tests.contains(*name));
            faults.extend(unknown.map(|name| format!("{page}: no test is called {name}")));
            rules += 1;
        }
    }
    assert!(rules > 130, "the book has lost its rules: {rules} are left");
    faults
}

/// The functions in the tests of the runtime.
fn names_of_tests() -> HashSet<String> {
    let mut names = HashSet::new();
    for folder in ["../tests/tests", "tests"] {
        let mut todo = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
        while let Some(folder) = todo.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    todo.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    names.extend(between(&text, "fn ", "(").map(|name| name.trim().to_owned()));
                }
            }
        }
    }
    names
}
