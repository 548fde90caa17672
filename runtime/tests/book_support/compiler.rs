//! What the compiler says of programs that it must refuse.

use super::files::book;
use std::{env, ffi::OsString, fs, path::PathBuf, process::Command, time::SystemTime};

/// The compiler, and the built library for it.
pub struct Compiler {
    rustc: OsString,
    dependencies: PathBuf,
    library: PathBuf,
}

impl Compiler {
    /// The compiler that Cargo uses, and the library that was built last, beside this test.
    pub fn new() -> Compiler {
        let dependencies = env::current_exe().unwrap().parent().unwrap().to_owned();
        let library = fs::read_dir(&dependencies)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| {
                let name = entry.file_name().into_string().unwrap_or_default();
                name.starts_with("libterzetto-") && name.ends_with(".rlib")
            })
            .max_by_key(|entry| entry.metadata().and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH))
            .expect("Cargo has built the library beside this test")
            .path();
        Compiler { rustc: env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()), dependencies, library }
    }

    /// What the compiler says of a program, which it must refuse.
    pub fn message(&self, path: &str) -> String {
        let text = self.refusal(path).unwrap_or_else(|| panic!("the compiler accepts {path}"));
        text.replace(path, "src/main.rs")
    }

    /// What the compiler says of a text, if it refuses it.
    pub fn refusal_of_text(&self, program: &str) -> Option<String> {
        let path = env::temp_dir().join(format!("terzetto-book-{}.rs", std::process::id()));
        fs::write(&path, program).unwrap();
        let refusal = self.refusal(&path.to_string_lossy());
        fs::remove_file(&path).unwrap();
        refusal
    }

    /// What the compiler says of a program, if it refuses it.
    fn refusal(&self, path: &str) -> Option<String> {
        let made = env::temp_dir().join(format!("terzetto-book-{}.rmeta", std::process::id()));
        let output = Command::new(&self.rustc)
            .current_dir(book())
            .args(["--edition", "2024", "--crate-type", "bin", "--emit", "metadata", "--color", "never"])
            .args(["-A", "warnings", "-o"])
            .arg(&made)
            .arg("-L")
            .arg(format!("dependency={}", self.dependencies.display()))
            .arg("--extern")
            .arg(format!("terzetto={}", self.library.display()))
            .arg(path)
            .output()
            .expect("rustc can be started");
        let _ = fs::remove_file(made);
        if output.status.success() {
            return None;
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let end = text.find("error: aborting due to").unwrap_or(text.len());
        Some(text[..end].trim_end().to_owned() + "\n")
    }
}

/// Which errors there are: what stays the same from one version of the compiler to the next. An error is known by its
/// number, or by its text if it has none.
pub fn headlines(message: &str) -> String {
    let errors = message.lines().filter(|line| line.starts_with("error"));
    errors
        .map(|line| match line.split_once("]: ") {
            Some((number, _)) if number.starts_with("error[") => format!("{number}]\n"),
            _ => format!("{line}\n"),
        })
        .collect()
}
