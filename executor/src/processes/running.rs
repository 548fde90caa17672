//! The processes that run now.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use terzetto::{process::Process, signal::Signal};

/// The processes that run now. The list belongs to the run's thread.
#[derive(Default)]
pub(super) struct RunningProcesses {
    processes: RefCell<Vec<Rc<Process>>>,
    /// The last signal that was sent. A process that starts later is sent it, too.
    last_signal: Cell<Option<Signal>>,
}

/// A process in the list. Dropping this removes it.
pub(super) struct RunningProcess<'a> {
    list: &'a RunningProcesses,
    pub process: Rc<Process>,
}

impl RunningProcesses {
    /// Adds a process.
    pub fn add(&self, process: Process) -> RunningProcess<'_> {
        let process = Rc::new(process);
        if let Some(signal) = self.last_signal.get() {
            send(&process, signal);
        }
        self.processes.borrow_mut().push(process.clone());
        RunningProcess { list: self, process }
    }

    /// Sends a signal to all processes, and to those that start later.
    pub fn signal(&self, signal: Signal) {
        self.last_signal.set(Some(signal));
        for process in self.processes.borrow().iter() {
            send(process, signal);
        }
    }
}

fn send(process: &Process, signal: Signal) {
    if let Err(error) = process.send_signal(signal) {
        log::warn!("{signal} could not be sent to {process}: {error}");
    }
}

impl Drop for RunningProcess<'_> {
    fn drop(&mut self) {
        self.list.processes.borrow_mut().retain(|other| !Rc::ptr_eq(other, &self.process));
    }
}
