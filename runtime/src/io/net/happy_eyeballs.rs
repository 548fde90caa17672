//! Happy eyeballs: finding the fastest of several addresses of the same host.
//!
//! A host has several addresses, and some of them may be unreachable. An attempt to connect to an unreachable
//! address fails only after about a minute. To try one address after another is slow. To try all at once is a
//! burden on the network and the server. So the attempts are staggered: the next one starts when the last one has
//! failed, or after a quarter of a second. The first success ends the other attempts. This is RFC 6555, in trio's
//! variant.

use crate::{Error, ErrorGroup, Seconds, io::StreamError, move_on_after, nursery, sync::Event};
use std::{cell::RefCell, net::SocketAddr};

/// How long an attempt may run before the next one starts, in seconds.
pub const HAPPY_EYEBALLS_DELAY: f64 = 0.250;

/// Puts addresses into the order in which to try them. This is trio's reading of RFC 6555, section 5.4.
///
/// The system's order is kept, with one exception: the second attempt should use another address family than the
/// first. So the first address of another family than that of the first address moves to the second place.
///
/// ```
/// use std::net::SocketAddr;
/// let mut order: Vec<SocketAddr> =
///     ["[::1]:80", "[::2]:80", "1.1.1.1:80", "[::3]:80"].map(|a| a.parse().unwrap()).to_vec();
/// terzetto::io::happy_eyeballs_order(&mut order);
/// assert_eq!(order[1], "1.1.1.1:80".parse().unwrap());
/// assert_eq!(order[2], "[::2]:80".parse().unwrap());
/// ```
pub fn happy_eyeballs_order(addresses: &mut [SocketAddr]) {
    let Some(first) = addresses.first() else { return };
    let of_first = first.is_ipv6();
    if let Some(other) = addresses.iter().position(|address| address.is_ipv6() != of_first) {
        addresses[1..=other].rotate_right(1);
    }
}

/// Connects to the first of `targets` that answers. This is only the algorithm, for any way of connecting.
///
/// `connect` is called for each target in turn. Each call starts `delay` after the previous one, or as soon as the
/// previous one has failed. When one succeeds, the others are cancelled and waited for. If another one has
/// succeeded meanwhile, its stream is dropped. An infinite delay means one attempt at a time.
///
/// # Cancellation
/// A checkpoint, if `connect` is one. If cancelled, all attempts are cancelled.
///
/// # Errors
/// If all attempts fail, an [`ErrorGroup`] with their errors, in the order of the targets;
/// [`Cancelled`](crate::Cancelled), perhaps in a group.
///
/// # Panics
/// If the delay is negative or NaN; outside a run.
///
/// ```
/// use terzetto::{Error, io::happy_eyeballs, sleep};
/// terzetto::run(async {
///     // The first takes a minute: after 0.01 s the second one starts, and wins.
///     let winner = happy_eyeballs(vec![60.0, 0.001], 0.01, async |time: f64| {
///         sleep(time).await?;
///         Ok(time)
///     }).await?;
///     assert_eq!(winner, 0.001);
///     Ok(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
pub async fn happy_eyeballs<A, S>(
    targets: Vec<A>,
    delay: impl Seconds,
    connect: impl AsyncFn(A) -> Result<S, StreamError>,
) -> Result<S, Error> {
    let delay = delay.checked_seconds("the delay between attempts to connect");
    let winner = RefCell::new(None);
    let failures: Vec<_> = targets.iter().map(|_| RefCell::new(None)).collect();
    nursery(async |n| {
        for (target, failure) in targets.into_iter().zip(&failures) {
            let failed = Event::new();
            let hurry = failed.clone();
            let (winner, connect) = (&winner, &connect);
            n.start_soon_named("an attempt to connect", async move {
                match connect(target).await {
                    Ok(stream) => {
                        // Two may succeed in the same tick. The first one wins.
                        winner.borrow_mut().get_or_insert(stream);
                        n.cancel_scope().cancel_with_reason("another attempt to connect has succeeded");
                    }
                    Err(StreamError::Cancelled(cancelled)) => return Err(cancelled.into()),
                    Err(error) => {
                        log::debug!("an attempt to connect failed: {error}");
                        *failure.borrow_mut() = Some(Error::from(error));
                        hurry.set();
                    }
                }
                Ok(())
            });
            move_on_after(delay, async { Ok(failed.wait().await?) }).await?;
        }
        Ok(())
    })
    .await?;
    match winner.into_inner() {
        Some(stream) => Ok(stream),
        None => {
            let errors = failures.into_iter().filter_map(RefCell::into_inner).collect();
            Err(ErrorGroup::new("all attempts to connect failed", errors).into())
        }
    }
}
