//! Dumps: files that say what a run was doing when something went wrong.

use crate::{
    core::run::{
        Run,
        extensions::{DumpReason, Extension},
        try_with,
    },
    observe::{Recorder, TraceTime, snapshot},
};
use std::{
    cell::Cell,
    fs, io,
    path::{Path, PathBuf},
    process,
    rc::Rc,
};

/// At most this many dumps are written in a run.
const MOST: u32 = 100;

/// Where a run writes its dumps.
pub(crate) struct Dumps {
    folder: PathBuf,
    recorder: Option<Rc<Recorder>>,
    written: Cell<u32>,
}

impl Dumps {
    /// Makes the run write dumps into this folder.
    pub(crate) fn plug_into(folder: PathBuf, recorder: Option<Rc<Recorder>>, run: &Run) {
        run.extensions.get(|| Dumps { folder, recorder, written: Cell::new(0) });
    }

    fn write(&self, reason: DumpReason) {
        let number = self.written.get();
        if number == MOST {
            return;
        }
        self.written.set(number + 1);
        let run = try_with(|run| run.id).unwrap_or_default();
        let why = match reason {
            DumpReason::Deadlock => "deadlock",
            DumpReason::Panic => "panic",
            DumpReason::Signal => "signal",
        };
        let name = |what: &str| format!("terzetto-{}-{run}-{number}-{why}-{what}.json", process::id());
        let write = |what: &str, text: String| {
            let path = self.folder.join(name(what));
            match fs::write(&path, text) {
                Ok(()) => log::warn!("what the run was doing is in {}", path.display()),
                Err(error) => log::error!("what the run was doing is not in {}: {error}", path.display()),
            }
        };
        // After a panic the tasks are gone, and only what was recorded is left.
        if reason != DumpReason::Panic
            && let Some(json) = try_with(|run| snapshot::of_run(run))
        {
            write("snapshot", json);
        }
        if let Some(recorder) = &self.recorder {
            write("trace", recorder.timeline().trace_json(TraceTime::Real));
        }
    }
}

impl Extension for Dumps {
    fn run_ends(&self) {
        if std::thread::panicking() {
            self.write(DumpReason::Panic);
        }
    }

    fn dump(&self, reason: DumpReason) {
        self.write(reason);
    }
}

/// Makes sure that a folder is there.
pub(crate) fn make_folder(path: &Path) -> io::Result<PathBuf> {
    let named = |error: io::Error| {
        io::Error::new(error.kind(), format!("the folder for dumps {}: {error}", path.display()))
    };
    fs::create_dir_all(path).map_err(named)?;
    Ok(path.to_owned())
}
