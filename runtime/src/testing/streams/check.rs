//! The one-way suite, which checks the rules for every stream, and the code that all suites share.
//!
//! A suite makes fresh streams again and again, and checks one rule on each. If a rule does not hold, the suite fails
//! with an error that states the rule. If the check of a rule hangs, it fails with that error after some seconds on
//! the run's clock.

use crate::{
    CancelScope, Error, fail_after,
    io::{ReceiveStream, Resource, SendStream, StreamError},
    nursery,
    testing::{checkpoints::watch, wait_all_tasks_blocked},
};
use std::{fmt, io::ErrorKind};

/// How many seconds of the run's clock a rule may take before it counts as hanging.
const PATIENCE: f64 = 10.0;

/// A rule that the stream under test has broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamCheckFailed {
    rule: &'static str,
}

impl StreamCheckFailed {
    /// The rule.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for StreamCheckFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stream does not keep a rule: {}", self.rule)
    }
}

impl std::error::Error for StreamCheckFailed {}

pub(super) type Checked = Result<(), Error>;
type StreamOutcome<T> = Result<T, StreamError>;

pub(super) fn ensure(holds: bool, rule: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(StreamCheckFailed { rule }.into()) }
}

pub(super) fn closed<T>(outcome: StreamOutcome<T>, rule: &'static str) -> Checked {
    ensure(matches!(outcome, Err(StreamError::Closed)), rule)
}

pub(super) fn busy<T>(outcome: StreamOutcome<T>, rule: &'static str) -> Checked {
    ensure(matches!(outcome, Err(StreamError::Busy(_))), rule)
}

pub(super) fn well<T>(outcome: StreamOutcome<T>, rule: &'static str) -> Result<T, Error> {
    outcome.map_err(|error| match error {
        // A cancellation of the check itself must be passed on.
        StreamError::Cancelled(cancelled) => cancelled.into(),
        _ => StreamCheckFailed { rule }.into(),
    })
}

/// Runs `inside`, which must succeed and be a checkpoint.
pub(super) async fn checkpoint_well<T>(
    inside: impl Future<Output = StreamOutcome<T>>,
    rule: &'static str,
) -> Result<T, Error> {
    let (outcome, seen) = watch(inside).await;
    let value = well(outcome, rule)?;
    ensure(seen.is_checkpoint(), rule)?;
    Ok(value)
}

/// Checks one rule. A check that hangs breaks the rule.
pub(super) async fn rule(rule: &'static str, inside: impl Future<Output = Checked>) -> Checked {
    let scope_error = |error: Error| match error.find::<crate::TooSlow>() {
        Some(_) => StreamCheckFailed { rule }.into(),
        None => error,
    };
    fail_after(PATIENCE, Box::pin(inside)).await.map_err(scope_error)
}

/// Receives as many bytes as `expected` has, and compares them.
pub(super) async fn expect(from: &impl ReceiveStream, expected: &[u8], rule: &'static str) -> Checked {
    let mut got = Vec::new();
    let mut buffer = vec![0; 4096];
    while got.len() < expected.len() {
        let room = buffer.len().min(expected.len() - got.len());
        let n = well(from.receive_some(&mut buffer[..room]).await, rule)?;
        ensure(n > 0 && n <= room, rule)?;
        got.extend_from_slice(&buffer[..n]);
    }
    ensure(got == expected, rule)
}

pub(super) async fn expect_end(from: &impl ReceiveStream, rule: &'static str) -> Checked {
    for _again in 0..3 {
        let n = well(from.receive_some(&mut [0; 16]).await, rule)?;
        ensure(n == 0, rule)?;
    }
    Ok(())
}

/// Checks a stream in one direction; trio's `check_one_way_stream`.
///
/// `make` gives a fresh pair of ends each time it is called.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// [`StreamCheckFailed`] for the first rule that does not hold, perhaps in a group. Also the errors of `make`.
///
/// ```
/// use terzetto::testing::{check_one_way_stream, memory_stream_one_way_pair};
/// terzetto::run(async {
///     check_one_way_stream(async || Ok(memory_stream_one_way_pair())).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn check_one_way_stream<S, R>(make: impl AsyncFn() -> Result<(S, R), Error>) -> Result<(), Error>
where
    S: SendStream,
    R: ReceiveStream,
{
    let (s, r) = make().await?;
    rule("what is sent arrives, in order and whole", transfers(&s, &r)).await?;
    let (s, r) = make().await?;
    rule("sending nothing is a checkpoint and sends nothing", async {
        checkpoint_well(s.send_all(b""), "sending nothing is a checkpoint and sends nothing").await?;
        both(s.send_all(b"x"), expect(&r, b"x", "an empty send sends nothing")).await
    })
    .await?;
    let (_s, r) = make().await?;
    rule("receiving into no room is refused", no_room(&r)).await?;
    let (s, r) = make().await?;
    rule("closing the sender ends the stream after its last byte", ends(&s, &r)).await?;
    let (s, r) = make().await?;
    rule("closing is idempotent, a checkpoint, and final", closes(&s, &r)).await?;
    let (s, r) = make().await?;
    rule("sending to a closed receiver fails as broken", breaks(&s, &r)).await?;
    let (s, r) = make().await?;
    rule("closing in a cancelled scope closes all the same", closes_cancelled(&s, &r)).await?;
    let (_s, r) = make().await?;
    rule("two receivers at once: the second is refused as busy", busy_receiver(&r)).await?;
    let (_s, r) = make().await?;
    rule("closing wakes a task that is receiving", closed_receiver(&r)).await?;
    let (s, r) = make().await?;
    rule("a cancelled receive takes nothing", cancels(&s, &r)).await?;
    let (s, _r) = make().await?;
    rule("a send in a cancelled scope fails as cancelled", async {
        let outcome = in_cancelled(s.send_all(b"x")).await?;
        ensure(is_cancelled(&outcome), "a send in a cancelled scope fails as cancelled")
    })
    .await
}

fn is_cancelled<T>(outcome: &StreamOutcome<T>) -> bool {
    matches!(outcome, Err(StreamError::Cancelled(_)))
}

/// Runs `inside` in a scope that is cancelled already.
async fn in_cancelled<T>(inside: impl Future<Output = StreamOutcome<T>>) -> Result<StreamOutcome<T>, Error> {
    let scope = CancelScope::new();
    scope.cancel();
    let outcome = scope.run(async { Ok(inside.await) }).await?;
    outcome.ok_or_else(|| Error::msg("the scope's body did not return"))
}

/// Closes forcefully, without the steps that may need the other side.
pub(super) async fn forcefully(resource: &impl Resource) -> Result<StreamOutcome<()>, Error> {
    match in_cancelled(resource.close()).await? {
        Err(StreamError::Cancelled(_)) => Ok(Ok(())),
        outcome => Ok(outcome),
    }
}

/// Runs a send and a check concurrently.
pub(super) async fn both(
    sending: impl Future<Output = StreamOutcome<()>>,
    receiving: impl Future<Output = Checked>,
) -> Checked {
    nursery(async |n| {
        n.start_soon(async { well(sending.await, "a send to a receiver that receives goes well") });
        receiving.await
    })
    .await
}

async fn transfers(s: &impl SendStream, r: &impl ReceiveStream) -> Checked {
    let send = async {
        for piece in [&b"one"[..], b"two", b"three"] {
            checkpoint_well(s.send_all(piece), "send_all is a checkpoint")
                .await
                .map_err(|_| StreamError::Closed)?;
        }
        Ok(())
    };
    both(send, async {
        let receive = async {
            let mut buffer = [0];
            r.receive_some(&mut buffer).await.map(|n| (n, buffer[0]))
        };
        let first = checkpoint_well(receive, "receive_some is a checkpoint").await?;
        ensure(first == (1, b'o'), "receive_some gives no more than there is room for")?;
        expect(r, b"netwothree", "what is sent arrives, in order and whole").await
    })
    .await?;
    nursery(async |n| {
        n.start_soon(async { expect(r, b"x", "what is sent arrives, in order and whole").await });
        let wait = s.wait_send_all_might_not_block();
        checkpoint_well(wait, "wait_send_all_might_not_block is a checkpoint").await?;
        well(s.send_all(b"x").await, "what is sent arrives, in order and whole")
    })
    .await
}

async fn no_room(r: &impl ReceiveStream) -> Checked {
    let outcome = r.receive_some(&mut []).await;
    let refused = matches!(&outcome, Err(StreamError::Io(error)) if error.kind() == ErrorKind::InvalidInput);
    ensure(refused, "receiving into no room is refused as invalid input")
}

async fn ends(s: &impl SendStream, r: &impl ReceiveStream) -> Checked {
    let rule = "closing the sender ends the stream after its last byte, for good";
    let send = async {
        s.send_all(b"tail").await?;
        s.close().await
    };
    both(send, async {
        expect(r, b"tail", rule).await?;
        expect_end(r, rule).await
    })
    .await
}

async fn closes(s: &impl SendStream, r: &impl ReceiveStream) -> Checked {
    let (sender, receiver) = (
        "closing a sender is idempotent and a checkpoint",
        "closing a receiver is idempotent and a checkpoint",
    );
    // Concurrently, since a protocol may need both sides for this.
    nursery(async |n| {
        n.start_soon(checkpoint_well(s.close(), sender));
        checkpoint_well(r.close(), receiver).await
    })
    .await?;
    checkpoint_well(s.close(), sender).await?;
    checkpoint_well(r.close(), receiver).await?;
    closed(s.send_all(b"x").await, "sending at a closed end fails as closed")?;
    closed(s.send_all(b"").await, "sending nothing at a closed end fails as closed")?;
    closed(s.wait_send_all_might_not_block().await, "waiting at a closed end fails as closed")?;
    closed(r.receive_some(&mut [0; 8]).await, "receiving at a closed end fails as closed")
}

async fn breaks(s: &impl SendStream, r: &impl ReceiveStream) -> Checked {
    let rule = "sending to a closed receiver fails as broken";
    well(forcefully(r).await?, rule)?;
    // A kernel may accept data before it learns that the other side is closed. The data is on the heap,
    // since an array would make every future around this one larger.
    let much = vec![b'x'; 65536];
    for _ in 0..100 {
        match s.send_all(&much).await {
            Ok(()) => {}
            Err(StreamError::Broken(_)) => return Ok(()),
            Err(StreamError::Cancelled(cancelled)) => return Err(cancelled.into()),
            Err(_) => break,
        }
    }
    ensure(false, rule)
}

async fn closes_cancelled(s: &impl SendStream, r: &impl ReceiveStream) -> Checked {
    let outcome = in_cancelled(s.close()).await?;
    ensure(is_cancelled(&outcome), "closing a sender in a cancelled scope says that it is cancelled")?;
    closed(s.send_all(b"x").await, "closing a sender in a cancelled scope closes it")?;
    let outcome = in_cancelled(r.close()).await?;
    ensure(is_cancelled(&outcome), "closing a receiver in a cancelled scope says that it is cancelled")?;
    closed(r.receive_some(&mut [0; 8]).await, "closing a receiver in a cancelled scope closes it")
}

async fn busy_receiver(r: &impl ReceiveStream) -> Checked {
    nursery(async |n| {
        n.start_soon(async { Ok(r.receive_some(&mut [0; 8]).await.map(drop)?) });
        wait_all_tasks_blocked(0.0).await?;
        busy(r.receive_some(&mut [0; 8]).await, "a second receiver is refused as busy")?;
        n.cancel_scope().cancel();
        Ok(())
    })
    .await
}

async fn closed_receiver(r: &impl ReceiveStream) -> Checked {
    nursery(async |n| {
        n.start_soon(async {
            closed(r.receive_some(&mut [0; 8]).await, "closing wakes a receiver, which fails as closed")
        });
        wait_all_tasks_blocked(0.0).await?;
        well(forcefully(r).await?, "a stream can be closed while somebody receives")
    })
    .await
}

async fn cancels(s: &impl SendStream, r: &impl ReceiveStream) -> Checked {
    let rule = "a cancelled receive takes nothing";
    // The receive blocks, and then is cancelled.
    let scope = CancelScope::new();
    nursery(async |n| {
        n.start_soon(async {
            scope.run(async { Ok(r.receive_some(&mut [0; 8]).await.map(drop)?) }).await.map(drop)
        });
        wait_all_tasks_blocked(0.0).await?;
        scope.cancel();
        Ok(())
    })
    .await?;
    ensure(scope.cancelled_caught(), "a blocked receive can be cancelled")?;
    // The receive is cancelled before it could block.
    both(s.send_all(b"ab"), async {
        wait_all_tasks_blocked(0.0).await?;
        let outcome = in_cancelled(r.receive_some(&mut [0; 8])).await?;
        ensure(is_cancelled(&outcome), "a receive in a cancelled scope fails as cancelled")?;
        expect(r, b"ab", rule).await
    })
    .await
}
