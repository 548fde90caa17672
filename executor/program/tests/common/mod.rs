//! What several tests need.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

pub mod films;
#[path = "../../../tests/common/folder.rs"]
mod folder;
pub mod series;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

pub use folder::{Folder, jobs, names};

/// The variables by which a cluster tells a task its part.
pub const CLUSTER_VARIABLES: [&str; 12] = [
    "SLURM_ARRAY_TASK_ID",
    "SLURM_STEP_NUM_TASKS",
    "PBS_ARRAY_INDEX",
    "PBS_ARRAYID",
    "SGE_TASK_ID",
    "LSB_JOBINDEX",
    "JOB_COMPLETION_INDEX",
    "PARALLEL_SEQ",
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MV2_COMM_WORLD_SIZE",
    "SLURM_JOB_ID",
];

/// The program, without what the test's own surroundings might tell it.
pub fn terzetto() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terzetto"));
    for name in CLUSTER_VARIABLES {
        command.env_remove(name);
    }
    command.env_remove("TERZETTO_LOG");
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

pub fn half_written(folder: &Path) -> Vec<String> {
    names(folder, ".part")
}

/// The contents of all tables, by name.
pub fn tables(folder: &Path) -> Vec<(String, String)> {
    let read = |name: &String| fs::read_to_string(folder.join(name)).expect("a table");
    names(folder, ".csv").iter().map(|name| (name.clone(), read(name))).collect()
}
