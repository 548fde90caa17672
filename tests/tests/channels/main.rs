//! What tasks pass values by, besides memory channels: broadcast channels, watched values, one-shots; and batches on
//! memory channels.

mod batch;
mod broadcast;
mod broadcast_slow;
mod oneshot;
mod watch;

use std::{cell::RefCell, pin::Pin, rc::Rc};
use terzetto::{CancelScope, Error};

type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Runs `inside` in a scope that is cancelled already; says whether it was cancelled there.
async fn cancelled_in<T>(inside: impl Future<Output = Result<T, Error>>) -> bool {
    let scope = CancelScope::new();
    scope.cancel();
    matches!(scope.run(inside).await, Ok(None))
}

/// Calls a function of the test's, once, when it is cloned or compared (`Copy`), or dropped (`Drop`).
#[derive(Default)]
struct Call(RefCell<Option<Box<dyn FnOnce()>>>);

impl Call {
    fn new(call: impl FnOnce() + 'static) -> Rc<Call> {
        Rc::new(Call(RefCell::new(Some(Box::new(call)))))
    }

    fn make(&self) {
        let call = self.0.take();
        if let Some(call) = call {
            call();
        }
    }
}

/// A value whose clone calls something.
struct CallsOnClone(Rc<Call>);

impl Clone for CallsOnClone {
    fn clone(&self) -> Self {
        self.0.make();
        CallsOnClone(self.0.clone())
    }
}

/// A value whose drop calls something.
#[derive(Clone)]
struct CallsOnDrop(Rc<Call>);

impl Drop for CallsOnDrop {
    fn drop(&mut self) {
        self.0.make();
    }
}
