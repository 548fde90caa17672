//! The files of the book, and what they must contain.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The folder of the book.
pub fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("book")
}

/// All files below a folder of the book whose names end so, relative to the book.
pub fn below(folder: &str, ends: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![book().join(folder)];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
                found.push(path.strip_prefix(book()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// The programs.
pub fn sources() -> Vec<String> {
    below("programs", &[".rs"])
}

/// What belongs to a program: what was recorded of it, and the same program for trio.
pub fn companions() -> Vec<String> {
    below("programs", &[".out", ".err", ".timeline", ".py"])
}

/// Whether this program is a mistake that the compiler must find.
pub fn must_not_compile(path: &str) -> bool {
    path.ends_with("_refused.rs")
}

/// Compares files of the book with what they must contain.
#[derive(Default)]
pub struct Expected {
    faults: Vec<String>,
}

impl Expected {
    /// Compares a file with a text.
    pub fn compare(&mut self, path: &str, actual: &str) {
        self.compare_by(path, actual, str::to_owned);
    }

    /// Compares what matters of a file with what matters of a text.
    pub fn compare_by(&mut self, path: &str, actual: &str, matters: impl Fn(&str) -> String) {
        let file = book().join(path);
        let recorded = fs::read_to_string(&file).unwrap_or_default();
        if matters(&recorded) == matters(actual) && !recorded.is_empty() {
            return;
        }
        if env::var_os("BLESS").is_some() {
            fs::write(&file, actual).unwrap();
        } else {
            self.faults.push(format!("{path} contains\n{recorded}\nand should contain\n{actual}"));
        }
    }

    /// Fails if anything differed.
    pub fn report(self) {
        assert!(
            self.faults.is_empty(),
            "{}\n{} files of the book are out of date: `BLESS=1 cargo test -p terzetto --test book` writes them",
            self.faults.join("\n"),
            self.faults.len()
        );
    }
}
