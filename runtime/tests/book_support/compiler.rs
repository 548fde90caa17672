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

    /// What the compiler says of a program. It must be no praise.
    pub fn message(&self, path: &str) -> String {
        let output = Command::new(&self.rustc)
            .current_dir(book())
            .args(["--edition", "2024", "--crate-type", "bin", "--emit", "metadata", "--color", "never"])
            .args(["-A", "warnings", "-o"])
            .arg(env::temp_dir().join(format!("terzetto-book-{}.rmeta", std::process::id())))
            .arg("-L")
            .arg(format!("dependency={}", self.dependencies.display()))
            .arg("--extern")
            .arg(format!("terzetto={}", self.library.display()))
            .arg(path)
            .output()
            .expect("rustc can be started");
        assert!(!output.status.success(), "the compiler accepts {path}");
        let text = String::from_utf8_lossy(&output.stderr);
        let end = text.find("error: aborting due to").unwrap_or(text.len());
        text[..end].trim_end().replace(path, "src/main.rs") + "\n"
    }
}

/// The lines that say which errors there are: what stays the same from one version of the compiler to the next.
pub fn headlines(message: &str) -> String {
    message.lines().filter(|line| line.starts_with("error")).map(|line| format!("{line}\n")).collect()
}
