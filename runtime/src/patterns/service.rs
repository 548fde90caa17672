//! Service tasks: tasks that are there for others, and end when nobody needs them any more.
//!
//! A log writer, a heartbeat, a cache that is refreshed: such tasks have no end of their own. In a nursery of its own
//! each of them would have to be cancelled by hand, after the last task that uses it, and not before. So they get a
//! nursery around the ordinary one, which is cancelled when the ordinary one has ended.

use crate::{BodyCancelled, Error, ErrorGroup, Nursery, core::task::unit::unit, nursery};
use std::cell::Cell;

/// Opens two nurseries, one for ordinary tasks and one for services, and runs `body`. When the body and all ordinary
/// tasks have ended, the services are cancelled. When they have ended, too, the body's value is returned.
///
/// A service that must be ready before it is used is started by [`Nursery::start`]. A service may end by itself. All
/// tasks may use the services up to their last step, since the services are cancelled after them. If something fails,
/// or the scope around is cancelled, all are cancelled together, as in one nursery.
///
/// trio's users have asked for it in issues 569, 1189 and 1521; tricycle's `open_service_nursery`.
///
/// # Cancellation
/// As of a [nursery](nursery()). The cancellation of the services at the end is not returned.
///
/// # Errors
/// The group of the errors of the body and of ordinary tasks, or that of the errors of services. If both have failed, a
/// group of these two groups.
///
/// ```
/// use terzetto::{channel, service::with_services, sleep};
/// terzetto::run(async {
///     let (log, lines) = channel(16);
///     with_services(async |n, services| {
///         // It ends with the last task that may want to log something, and not before.
///         services.start_soon(async move { while let Some::<&str>(_line) = lines.next().await? {} Ok(()) });
///         for _ in 0..3 {
///             let log = log.clone();
///             n.start_soon(async move { sleep(0.001).await?; log.send("done").await?; Ok(()) });
///         }
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[doc(alias = "open_service_nursery")]
pub fn with_services<'env, T, F>(body: F) -> impl Future<Output = Result<T, Error>>
where
    F: for<'ordinary, 'services> AsyncFnOnce(
        &'ordinary Nursery<'ordinary, 'services>,
        &'services Nursery<'services, 'env>,
    ) -> Result<T, Error>,
{
    // In a box, so that the future does not hold it twice.
    let body = Box::new(body);
    async move {
        let (value, failure) = (Cell::new(None), Cell::new(None));
        let (place, keep) = (&value, &failure);
        let ended = nursery(async move |services| {
            let ended = nursery(async move |n| body(n, services).await).await;
            services.cancel_scope().cancel_with_reason("all that needed the services has ended");
            let error = match ended {
                Ok(value) => {
                    place.set(Some(value));
                    return Ok(());
                }
                Err(error) => error,
            };
            // A failure is kept, so that it is in no second group. A cancellation may be that of the services' nursery.
            let (cancelled, failed) = error.split_cancelled();
            keep.set(failed);
            cancelled.map_or(Ok(()), Err)
        })
        .await;
        match (failure.into_inner(), ended) {
            // As of any nursery: if its own scope has ended it, there is a value only if that is nothing.
            (None, Ok(())) => value.into_inner().or_else(unit).ok_or_else(|| BodyCancelled.into()),
            (None, Err(of_services)) => Err(of_services),
            (Some(failed), Ok(())) => Err(failed),
            (Some(failed), Err(of_services)) => {
                Err(ErrorGroup::new("ordinary tasks and services failed", vec![failed, of_services]).into())
            }
        }
    }
}
