//! Futures that wrap other futures, and take little more room than those.
//!
//! An `async fn` that awaits one of its arguments stores it twice: as the argument, and where it is awaited. So each
//! such function around another one doubles the size again. The runtime therefore wraps a user's future in a struct
//! that holds it once.

use crate::core::misuse::polled_after_its_end;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project_lite::pin_project! {
    /// A future whose output is changed by a function; made by [`map`].
    pub(crate) struct Map<F, M> {
        #[pin]
        future: F,
        change: Option<M>,
    }
}

/// Returns a future that awaits `future` and returns what `change` makes of its output.
pub(crate) fn map<F, M, T>(future: F, change: M) -> Map<F, M>
where
    F: Future,
    M: FnOnce(F::Output) -> T,
{
    Map { future, change: Some(change) }
}

impl<F, M, T> Future for Map<F, M>
where
    F: Future,
    M: FnOnce(F::Output) -> T,
{
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.project();
        let outcome = ready!(this.future.poll(cx));
        let Some(change) = this.change.take() else { polled_after_its_end() };
        Poll::Ready(change(outcome))
    }
}

pin_project_lite::pin_project! {
    /// A future that is polled by a function; made by [`around`].
    pub(crate) struct Around<F, P> {
        #[pin]
        future: F,
        poll: P,
    }
}

/// Returns a future that holds `future` and is polled by `poll`.
pub(crate) fn around<F, P, T>(future: F, poll: P) -> Around<F, P>
where
    P: FnMut(Pin<&mut F>, &mut Context<'_>) -> Poll<T>,
{
    Around { future, poll }
}

impl<F, P, T> Future for Around<F, P>
where
    P: FnMut(Pin<&mut F>, &mut Context<'_>) -> Poll<T>,
{
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.project();
        (this.poll)(this.future, cx)
    }
}

pin_project_lite::pin_project! {
    /// A future that is made when it is first polled; made by [`lazy`].
    #[project = LazyProjection]
    pub(crate) enum Lazy<M, F> {
        New { make: Option<M> },
        Made { #[pin] future: F },
    }
}

/// Returns a future that calls `make` at its first poll, and then is the future that `make` returned. It takes little
/// more room than the larger of the two.
pub(crate) fn lazy<M, F>(make: M) -> Lazy<M, F>
where
    M: FnOnce() -> F,
    F: Future,
{
    Lazy::New { make: Some(make) }
}

impl<M, F> Future for Lazy<M, F>
where
    M: FnOnce() -> F,
    F: Future,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let LazyProjection::New { make } = self.as_mut().project() {
            let Some(make) = make.take() else { polled_after_its_end() };
            self.set(Lazy::Made { future: make() });
        }
        match self.project() {
            LazyProjection::Made { future } => future.poll(cx),
            LazyProjection::New { .. } => polled_after_its_end(),
        }
    }
}
