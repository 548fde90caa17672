//! What several tests need.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod gauge;
pub mod series;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder that is removed when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("terzetto-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the system's folder for temporary files can be written to");
        Folder(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program, without what the test's own surroundings might tell it.
pub fn terzetto() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terzetto"));
    command.env_remove("TERZETTO_LOG").env_remove("SLURM_ARRAY_TASK_ID");
    command
}

pub struct Ended {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Ended {
        Ended {
            status: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

pub fn run(command: &mut Command) -> Ended {
    command.output().expect("the program starts").into()
}

/// A series of small synthetic couples in `folder`.
pub fn synth(folder: &Path, pairs: usize, size: usize) {
    let ended = run(terzetto().arg("synth").arg(folder).args([
        "--pairs",
        &pairs.to_string(),
        "--size",
        &size.to_string(),
        "--quiet",
    ]));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
}

pub fn names(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder of results");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(ending))
        .collect();
    names.sort();
    names
}

/// The folders of the jobs that have written into a folder for results, the oldest first.
pub fn jobs(folder: &Path) -> Vec<PathBuf> {
    let names = names(folder, "").into_iter();
    names.filter(|name| name.starts_with("job_")).map(|name| folder.join(name)).collect()
}

pub fn half_written(folder: &Path) -> Vec<String> {
    names(folder, ".part")
}

/// The contents of all tables, by name.
pub fn tables(folder: &Path) -> Vec<(String, String)> {
    let read = |name: &String| fs::read_to_string(folder.join(name)).expect("a table");
    names(folder, ".csv").iter().map(|name| (name.clone(), read(name))).collect()
}
