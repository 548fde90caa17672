//! A task holds a future that has something, does not poll it any more, and waits for the same thing.

use super::{assert_says, deadlock_of, keep};
use futures_util::future::select;
use std::pin::pin;
use terzetto::{Error, sleep, sync::Semaphore};

#[test]
fn see_27_a_futurelock_is_called_one() {
    let report = deadlock_of(async {
        let connections = Semaphore::new(1);
        let request = async {
            let _connection = connections.acquire().await?;
            Ok::<(), Error>(sleep(3.0).await?)
        };
        let mut request = pin!(request);
        // If the request takes long, another connection is to be opened.
        select(request.as_mut(), pin!(sleep(1.0))).await;
        let _second = connections.acquire().await?;
        request.await
    });
    keep(8, "report of the deadlock", file!(), &report);
    assert_says(
        &report,
        &[
            "futurelock: task main has a future that could go on, and does not poll it any more",
            "about to go on, but not polled",
            "waiting for a semaphore",
        ],
    );
}

#[test]
fn see_27_of_a_lock_it_is_an_error_at_once() {
    use terzetto::sync::{AcquireError, Lock};
    super::run_to_end(async {
        let lock = Lock::new();
        let mut holder = pin!(async {
            let _held = lock.acquire().await?;
            Ok::<(), Error>(sleep(3.0).await?)
        });
        select(holder.as_mut(), pin!(sleep(1.0))).await;
        assert!(matches!(lock.acquire().await, Err(AcquireError::AlreadyHeld)));
        Ok(())
    });
}
