//! How a child's standard streams are connected when it is started.

use crate::process::{StartError, Stdio};
use std::{
    ffi::OsString,
    fs, io,
    os::fd::{AsFd, OwnedFd},
    process,
};

/// A command that is ready to be started, in another thread.
pub(super) struct Wiring {
    pub(super) program: OsString,
    pub(super) command: process::Command,
    pub(super) stdin: Stdio,
    pub(super) stdout: Stdio,
    /// `None` means the same place as the standard output.
    pub(super) stderr: Option<Stdio>,
}

/// A child that was started, and our ends of its pipes.
pub(super) struct Started {
    pub(super) child: process::Child,
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
}

/// The child's end of an output, and ours if it is a pipe.
fn output(stdio: Stdio) -> io::Result<(process::Stdio, Option<OwnedFd>)> {
    Ok(match stdio {
        Stdio::Inherit => (process::Stdio::inherit(), None),
        Stdio::Null => (process::Stdio::null(), None),
        Stdio::Fd(fd) => (fd.into(), None),
        Stdio::Piped => {
            let (reader, writer) = io::pipe()?;
            (writer.into(), Some(reader.into()))
        }
    })
}

impl Wiring {
    /// Starts the program. May block in `fork`, or in `exec` from a slow disk.
    pub(super) fn start(mut self) -> Result<Started, StartError> {
        let started = self.connect_and_spawn();
        started.map_err(|error| {
            StartError::new(&self.program, error).in_directory(self.command.get_current_dir())
        })
    }

    fn connect_and_spawn(&mut self) -> io::Result<Started> {
        let (theirs, stdin) = match std::mem::take(&mut self.stdin) {
            Stdio::Piped => {
                let (reader, writer) = io::pipe()?;
                (reader.into(), Some(writer.into()))
            }
            other => output(other)?,
        };
        self.command.stdin(theirs);
        let (theirs, mut stdout) = (std::mem::take(&mut self.stdout), None);
        let (theirs, stderr) = match self.stderr.take() {
            Some(stderr) => {
                let (out, reader) = output(theirs)?;
                stdout = reader;
                self.command.stdout(out);
                output(stderr)?
            }
            None => {
                let shared = match theirs {
                    Stdio::Null => fs::OpenOptions::new().write(true).open("/dev/null")?.into(),
                    Stdio::Inherit => io::stdout().as_fd().try_clone_to_owned()?,
                    Stdio::Fd(fd) => fd,
                    Stdio::Piped => {
                        let (reader, writer) = io::pipe()?;
                        stdout = Some(reader.into());
                        writer.into()
                    }
                };
                self.command.stdout(shared.try_clone()?);
                (shared.into(), None)
            }
        };
        self.command.stderr(theirs);
        let child = self.command.spawn()?;
        Ok(Started { child, stdin, stdout, stderr })
    }
}
