//! THREAD: work in threads, and calls from threads. The subject is real threads, so time is real.

mod calls;
mod contexts;
mod jobs;
mod workers;

use std::sync::{Arc, Condvar, Mutex};

/// Holds threads back until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}
