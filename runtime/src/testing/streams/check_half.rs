//! The suite for streams that can end one direction.

use crate::{
    Error,
    io::HalfCloseableStream,
    testing::streams::{
        check::{Checked, both, checkpoint_well, closed, expect, expect_end, rule},
        check_two_way::check_two_way_stream,
    },
};

/// Checks a stream that can end one direction; trio's `check_half_closeable_stream`. Includes
/// [`check_two_way_stream`].
///
/// `make` gives a fresh pair of connected streams each time it is called.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of [`check_two_way_stream`].
///
/// ```
/// use terzetto::testing::{check_half_closeable_stream, memory_stream_pair};
/// terzetto::run(async {
///     check_half_closeable_stream(async || Ok(memory_stream_pair())).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn check_half_closeable_stream<A, B>(
    make: impl AsyncFn() -> Result<(A, B), Error>,
) -> Result<(), Error>
where
    A: HalfCloseableStream,
    B: HalfCloseableStream,
{
    check_two_way_stream(&make).await?;
    let (a, b) = make().await?;
    rule("send_eof ends one direction and leaves the other", ends_one(&a, &b)).await?;
    let (a, b) = make().await?;
    rule("send_eof ends one direction and leaves the other", ends_one(&b, &a)).await
}

async fn ends_one(a: &impl HalfCloseableStream, b: &impl HalfCloseableStream) -> Checked {
    let send = async {
        a.send_all(b"last").await?;
        a.send_eof().await
    };
    both(send, async {
        expect(b, b"last", "send_eof comes after the last byte").await?;
        expect_end(b, "send_eof ends the other side's receiving, for good").await
    })
    .await?;
    checkpoint_well(a.send_eof(), "send_eof is idempotent and a checkpoint").await?;
    closed(a.send_all(b"x").await, "sending after send_eof fails as closed")?;
    both(b.send_all(b"answer"), expect(a, b"answer", "after send_eof the other direction works")).await?;
    both(b.send_eof(), expect_end(a, "the other side can end its direction, too")).await
}
