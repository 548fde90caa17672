//! Futures from outside: other libraries' combinators, and waits that know nothing of this runtime.

use futures_util::{
    FutureExt,
    future::{Either, join, join_all, select},
    stream::{FuturesUnordered, StreamExt},
};
use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    task::{Poll, Waker},
    thread,
    time::Duration,
};
use terzetto::{
    CancelScope, Error, cancellable, channel, checkpoint, current_time, move_on_after, nursery, sleep,
    sleep_forever, sync::Event, testing::assert_checkpoints,
};
use terzetto_tests::run_mock;

/// A future that another library's thread completes.
fn from_a_thread(pause: Duration) -> impl Future<Output = u32> {
    let shared = std::sync::Arc::new(std::sync::Mutex::new((None::<u32>, None::<Waker>)));
    let theirs = shared.clone();
    thread::spawn(move || {
        thread::sleep(pause);
        let mut state = theirs.lock().unwrap();
        state.0 = Some(7);
        state.1.take().map(Waker::wake)
    });
    std::future::poll_fn(move |cx| {
        let mut state = shared.lock().unwrap();
        match state.0 {
            Some(value) => Poll::Ready(value),
            None => {
                state.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
}

#[test]
fn a_foreign_future_can_be_awaited_and_cancelled() {
    terzetto::run(async {
        assert_eq!(from_a_thread(Duration::from_millis(5)).await, 7, "plainly");
        assert_eq!(cancellable(from_a_thread(Duration::from_millis(5))).await?, 7);
        // Cancelled while it waits; dropped by that.
        let dropped = Rc::new(());
        let held = dropped.clone();
        let never = async move {
            let _held = held;
            std::future::pending::<()>().await
        };
        let outcome = move_on_after(0.01, async { Ok(cancellable(never).await?) }).await?;
        assert_eq!((outcome, Rc::strong_count(&dropped)), (None, 1));
        // One that is done is a checkpoint all the same, and is not started in a cancelled scope.
        assert_checkpoints(cancellable(std::future::ready(()))).await?;
        let (scope, started) = (CancelScope::new(), Cell::new(false));
        scope.cancel();
        let outcome = scope.run(async { Ok(cancellable(async { started.set(true) }).await?) }).await?;
        assert_eq!((outcome, started.get()), (None, false));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_foreign_future_that_completes_in_the_tick_of_its_cancellation_is_done() {
    run_mock(async {
        let (event, scope) = (Event::new(), CancelScope::new());
        nursery(async |n| {
            let (event, scope) = (&event, &scope);
            n.start_soon(async move {
                let inner = async { event.wait().now_or_never().is_some() || event.is_set() };
                let waits = async {
                    while !event.is_set() {
                        futures_util::pending!();
                    }
                    inner.await
                };
                let outcome = scope.run(async { Ok(cancellable(waits).await?) }).await?;
                assert_eq!(outcome, Some(true));
                assert!(!scope.cancelled_caught());
                Ok(())
            });
            checkpoint().await?;
            checkpoint().await?;
            event.set();
            scope.cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn join_and_select_work_inside_a_task() {
    run_mock(async {
        let start = current_time();
        let (a, b) = join(sleep(1.0), sleep(2.0)).await;
        a?;
        b?;
        assert_eq!(current_time() - start, 2.0);
        // The loser of a race is dropped, and leaves nothing behind.
        let (sender, receiver) = channel::<u32>(0);
        match select(pin!(sleep(1.0)), Box::pin(receiver.receive())).await {
            Either::Left((slept, _loser)) => slept?,
            Either::Right(_) => panic!("nobody has sent"),
        }
        assert_eq!(receiver.statistics().tasks_waiting_receive, 0);
        assert!(sender.send_nowait(1).is_err(), "nobody receives any more");
        let quick = futures_util::select_biased! {
            outcome = pin!(sleep_forever().fuse()) => { outcome?; "forever" }
            outcome = pin!(sleep(0.5).fuse()) => { outcome?; "soon" }
        };
        assert_eq!((quick, current_time() - start), ("soon", 3.5));
        Ok(())
    })
    .unwrap();
}

#[test]
fn futures_unordered_works_inside_a_task_and_is_cancelled_as_a_whole() {
    run_mock(async {
        let mut order = Vec::new();
        let mut sleeps: FuturesUnordered<_> =
            [3.0, 1.0, 2.0].into_iter().map(async |time| sleep(time).await.map(|()| time)).collect();
        while let Some(time) = sleeps.next().await {
            order.push(time?);
        }
        assert_eq!(order, [1.0, 2.0, 3.0]);
        // Nurseries and scopes inside, a cancellation from outside.
        let ended = RefCell::new(0);
        let blocks = (0..10).map(|i| {
            let ended = &ended;
            async move {
                let scope = CancelScope::with_timeout(f64::from(i));
                let block = nursery(async |n| {
                    n.start_soon(async { Ok(sleep_forever().await?) });
                    Ok(())
                });
                let outcome = scope.run(block).await;
                *ended.borrow_mut() += 1;
                outcome
            }
        });
        let outcome = move_on_after(4.5, async { Ok(join_all(blocks).await) }).await?;
        let outcomes: Vec<Result<Option<()>, Error>> = outcome.unwrap();
        // Five ran out of time by themselves; the others were cancelled from outside.
        assert_eq!(*ended.borrow(), 10);
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Ok(None))).count(), 5);
        assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(Error::is_cancelled));
        Ok(())
    })
    .unwrap();
}
