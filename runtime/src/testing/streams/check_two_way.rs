//! The suite for streams in both directions.

use crate::{
    Error,
    io::{SendStream, Stream},
    nursery,
    testing::streams::check::{Checked, check_one_way_stream, ensure, expect, expect_end, rule, well},
};

/// How much goes each way at once: more than any buffer holds.
const MUCH: usize = 1 << 20;

/// Checks a stream in both directions; trio's `check_two_way_stream`. Includes
/// [`check_one_way_stream`] both ways round.
///
/// `make` gives a fresh pair of connected streams each time it is called.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// As [`check_one_way_stream`].
///
/// ```
/// use terzetto::testing::{check_two_way_stream, lockstep_stream_pair};
/// terzetto::run(async {
///     check_two_way_stream(async || Ok(lockstep_stream_pair())).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn check_two_way_stream<A, B>(make: impl AsyncFn() -> Result<(A, B), Error>) -> Result<(), Error>
where
    A: Stream,
    B: Stream,
{
    check_one_way_stream(&make).await?;
    check_one_way_stream(async || make().await.map(|(a, b)| (b, a))).await?;
    let (a, b) = make().await?;
    rule("much data goes both ways at once", exchange(&a, &b)).await?;
    let (a, b) = make().await?;
    rule("closing ends the other side's receiving", async {
        nursery(async |n| {
            n.start_soon(async { well(a.close().await, "a stream can be closed") });
            expect_end(&b, "closing ends the other side's receiving").await
        })
        .await
    })
    .await
}

/// Pseudo-random bytes that repeat only after a long time (xorshift, Marsaglia 2003).
fn noise(mut seed: u32) -> Vec<u8> {
    let next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed as u8
    };
    std::iter::repeat_with(next).take(MUCH).collect()
}

async fn exchange(a: &impl Stream, b: &impl Stream) -> Checked {
    let (there, back) = (noise(1), noise(2));
    let rule = "much data goes both ways at once, whole and in order";
    nursery(async |n| {
        n.start_soon(send_in_pieces(a, &there, 4099));
        n.start_soon(send_in_pieces(b, &back, 1021));
        n.start_soon(expect(b, &there, rule));
        n.start_soon(expect(a, &back, rule));
        Ok(())
    })
    .await?;
    ensure(there != back, "the check's own data differs")
}

async fn send_in_pieces(s: &impl SendStream, data: &[u8], size: usize) -> Checked {
    for piece in data.chunks(size) {
        well(s.send_all(piece).await, "a send goes well while the other side receives")?;
    }
    Ok(())
}
