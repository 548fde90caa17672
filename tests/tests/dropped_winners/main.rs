//! Several wait for one thing, one of them is woken, and its future is dropped before it has run: another one gets
//! what it was woken for, and the counts are right. Those of signals are in `signals_shared.rs`.

mod sync;
mod system;

use std::pin::Pin;
use terzetto::{Error, fail_after};
use terzetto_tests::begin;

type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Two waits that have begun, in the order of asking.
async fn two<'a, T, F: Future<Output = T> + 'a>(wait: impl Fn() -> F) -> [Wait<'a, T>; 2] {
    let mut both: [Wait<'a, T>; 2] = [Box::pin(wait()), Box::pin(wait())];
    for wait in &mut both {
        begin(wait).await;
    }
    both
}

/// What comes of a wait that must end soon.
async fn soon<T>(wait: Wait<'_, T>) -> Result<T, Error> {
    fail_after(5.0, async { Ok(wait.await) }).await
}
