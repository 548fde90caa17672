//! The suite for sending while nobody receives.

use crate::{
    CancelScope, Error,
    io::{ReceiveStream, SendStream, StreamError},
    nursery,
    testing::{
        streams::check::{Checked, busy, closed, ensure, rule, well},
        wait_all_tasks_blocked,
    },
};
use std::cell::Cell;

/// Checks what a stream does while its sender is blocked. These are the rules of trio's suites that need a
/// `clogged_stream_maker`.
///
/// `make` gives a fresh pair of ends each time. With these ends `send_all` and `wait_send_all_might_not_block` must
/// block until something is received. An example is a socket whose buffers were filled.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// [`StreamCheckFailed`](crate::testing::streams::StreamCheckFailed) for the first rule that does not hold, perhaps in
/// a group. Also the errors of `make`.
///
/// ```
/// use terzetto::testing::{check_clogged_stream, lockstep_stream_one_way_pair};
/// terzetto::run(async {
///     check_clogged_stream(async || Ok(lockstep_stream_one_way_pair())).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn check_clogged_stream<S, R>(make: impl AsyncFn() -> Result<(S, R), Error>) -> Result<(), Error>
where
    S: SendStream,
    R: ReceiveStream,
{
    let (s, _r) = make().await?;
    rule("two senders at once: the second is refused as busy", busy_sender(&s)).await?;
    let (s, r) = make().await?;
    rule("waiting to send blocks until something is received", waits(&s, &r)).await?;
    for waiting in [false, true] {
        let (s, _r) = make().await?;
        rule("closing wakes a task that is sending", closed_sender(&s, waiting)).await?;
        let (s, r) = make().await?;
        rule("the receiver's closing wakes a task that is sending", broken_sender(&s, &r, waiting)).await?;
        let (s, _r) = make().await?;
        rule("a blocked send can be cancelled", cancelled_sender(&s, waiting)).await?;
    }
    Ok(())
}

async fn send_or_wait(s: &impl SendStream, waiting: bool) -> Result<(), StreamError> {
    match waiting {
        true => s.wait_send_all_might_not_block().await,
        false => s.send_all(b"x").await,
    }
}

async fn busy_sender(s: &impl SendStream) -> Checked {
    nursery(async |n| {
        n.start_soon(async { Ok(s.send_all(b"x").await?) });
        wait_all_tasks_blocked(0.0).await?;
        busy(s.send_all(b"y").await, "a second sender is refused as busy")?;
        busy(s.wait_send_all_might_not_block().await, "waiting beside a sender is refused as busy")?;
        n.cancel_scope().cancel();
        Ok(())
    })
    .await
}

async fn waits(s: &impl SendStream, r: &impl ReceiveStream) -> Checked {
    let done = Cell::new(false);
    let scope = CancelScope::new();
    let receiving = scope.clone();
    nursery(async |n| {
        n.start_soon(async {
            well(s.wait_send_all_might_not_block().await, "waiting to send ends well")?;
            done.set(true);
            scope.cancel();
            Ok(())
        });
        wait_all_tasks_blocked(0.0).await?;
        ensure(!done.get(), "waiting to send blocks while nobody receives")?;
        let received = receiving.run(async {
            loop {
                let n = r.receive_some(&mut [0; 65536]).await?;
                if n == 0 {
                    return Ok(());
                }
            }
        });
        received.await.map(drop)
    })
    .await?;
    ensure(done.get(), "waiting to send ends once something is received")
}

async fn closed_sender(s: &impl SendStream, waiting: bool) -> Checked {
    nursery(async |n| {
        n.start_soon(async {
            closed(send_or_wait(s, waiting).await, "closing wakes a sender, which fails as closed")
        });
        wait_all_tasks_blocked(0.0).await?;
        well(s.close().await, "a stream can be closed while somebody sends")
    })
    .await
}

async fn broken_sender(s: &impl SendStream, r: &impl ReceiveStream, waiting: bool) -> Checked {
    nursery(async |n| {
        n.start_soon(async {
            let outcome = send_or_wait(s, waiting).await;
            let holds = matches!(outcome, Err(StreamError::Broken(_))) || (waiting && outcome.is_ok());
            ensure(holds, "a sender whose receiver closes fails as broken")
        });
        wait_all_tasks_blocked(0.0).await?;
        well(r.close().await, "a receiver can be closed while somebody sends to it")
    })
    .await
}

async fn cancelled_sender(s: &impl SendStream, waiting: bool) -> Checked {
    let scope = CancelScope::new();
    nursery(async |n| {
        n.start_soon(async { scope.run(async { Ok(send_or_wait(s, waiting).await?) }).await.map(drop) });
        wait_all_tasks_blocked(0.0).await?;
        scope.cancel();
        Ok(())
    })
    .await?;
    ensure(scope.cancelled_caught(), "a blocked send can be cancelled")?;
    well(s.close().await, "a stream can be closed after a cancelled send")
}
