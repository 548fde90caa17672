//! What is called back in the middle of things (abort functions, wakers, hooks) and changes who waits for what.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Wake, Waker},
};
use terzetto::{
    CancelScope, Cancelled, ReceiveError, channel, checkpoint, current_task,
    lowlevel::{Aborted, Rescheduler, wait_task_rescheduled},
    move_on_after, nursery, sleep, sleep_forever,
    sync::{Event, Lock},
};
use terzetto_tests::{begin, run_mock};

type Block<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;
type Wait = Pin<Box<dyn Future<Output = Result<(), Cancelled>>>>;

thread_local!(static ON_WAKE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) });

/// A waker that calls what is in `ON_WAKE`.
struct Calls;

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        let call = ON_WAKE.take();
        if let Some(call) = call {
            call();
        }
    }
}

#[test]
fn a_waker_that_drops_another_waiter_of_a_closed_end_wakes_no_stranger() {
    run_mock(async {
        let (_sender, receiver) = channel::<u32>(0);
        let receiver = Rc::new(receiver);
        let event = Event::new();
        let waker = Waker::from(Arc::new(Calls));
        let receive = || -> Block<'static> {
            let receiver = receiver.clone();
            Box::pin(async move { drop(receiver.receive().await) })
        };
        let (mut first, mut second) = (receive(), receive());
        assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let third: Rc<RefCell<Option<Wait>>> = Rc::default();
        let (own, waited) = (third.clone(), event.clone());
        ON_WAKE.set(Some(Box::new(move || {
            drop(second);
            let mut wait: Wait = Box::pin(async move { waited.wait().await });
            assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            *own.borrow_mut() = Some(wait);
        })));
        receiver.close();
        let mut third = third.take().unwrap();
        let polled = third.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(
            polled.is_pending() || event.is_set(),
            "the event is not set, and its wait is over: {polled:?}"
        );
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_abort_function_may_drop_what_else_was_to_be_aborted() {
    let outcome = run_mock(async {
        let scope = CancelScope::new();
        let event = Event::new();
        // A second wait in the scope, which the abort function of the first drops; it begins a wait of its own
        // outside the scope instead.
        let second: Rc<RefCell<Option<Block<'static>>>> = Rc::default();
        let third: Rc<RefCell<Option<Wait>>> = Rc::default();
        let (own_second, own_third, own_event) = (second.clone(), third.clone(), event.clone());
        nursery(async |n| {
            n.start_soon(async {
                scope
                    .run(async {
                        let abort = move |_: &Cancelled| {
                            drop(own_second.borrow_mut().take());
                            let event = own_event.clone();
                            let mut wait: Wait = Box::pin(async move { event.wait().await });
                            let waker = Waker::noop();
                            assert!(wait.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
                            *own_third.borrow_mut() = Some(wait);
                            Aborted::Succeeded
                        };
                        let first = wait_task_rescheduled::<()>(|_| (), abort);
                        let mut first = std::pin::pin!(first);
                        begin(&mut first).await;
                        let mut wait: Block<'static> = Box::pin(async { drop(sleep_forever().await) });
                        begin(&mut wait).await;
                        *second.borrow_mut() = Some(wait);
                        first.await
                    })
                    .await?;
                Ok(())
            });
            checkpoint().await?;
            checkpoint().await?;
            scope.cancel();
            // Outside the scope: in a nursery that nobody cancels.
            let third = third.take().unwrap();
            nursery(async |n| {
                n.start_soon(async {
                    let outcome = third.await;
                    assert!(outcome.is_ok(), "cancelled by a scope that it is not in: {outcome:?}");
                    Ok(())
                });
                checkpoint().await?;
                event.set();
                Ok(())
            })
            .await
        })
        .await
    });
    outcome.unwrap();
}

#[test]
fn sched_10_what_an_abort_function_has_rescheduled_is_delivered() {
    // An abort function that reschedules its own wait, and then says that it succeeded.
    let outcome = run_mock(async {
        let slot: Rc<RefCell<Option<Rescheduler<u32>>>> = Rc::default();
        let own = slot.clone();
        let scope = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                let value = scope
                    .run(wait_task_rescheduled(
                        |waiter| *slot.borrow_mut() = Some(waiter),
                        move |_| {
                            let told = own.take().unwrap().reschedule(Ok(5));
                            assert!(told.is_ok());
                            Aborted::Succeeded
                        },
                    ))
                    .await?;
                assert_eq!(value, Some(5), "the rescheduler said that it was delivered");
                Ok(())
            });
            checkpoint().await?;
            checkpoint().await?;
            scope.cancel();
            Ok(())
        })
        .await
    });
    outcome.unwrap();
}

#[test]
fn a_rescheduler_of_a_wait_whose_begin_panicked_wakes_nobody_else() {
    run_mock(async {
        let kept: Rc<RefCell<Option<Rescheduler<()>>>> = Rc::default();
        let own = kept.clone();
        let mut wait: Block<'_> = Box::pin(async move {
            let _ = wait_task_rescheduled(
                |rescheduler| {
                    *own.borrow_mut() = Some(rescheduler);
                    panic!("begin");
                },
                |_| Aborted::Succeeded,
            )
            .await;
        });
        let poll = catch_unwind(AssertUnwindSafe(|| {
            let _ = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }));
        assert!(poll.is_err());
        drop(wait);
        let (_sender, receiver) = channel::<u32>(0);
        nursery(async |n| {
            n.start_soon(async {
                // There is a sender: the channel has not ended, and nothing was sent.
                let outcome = move_on_after(5.0, async { Ok(receiver.receive().await) }).await?;
                assert!(
                    matches!(outcome, None | Some(Err(ReceiveError::Cancelled(_)))),
                    "a stranger was woken: {outcome:?}"
                );
                Ok(())
            });
            checkpoint().await?;
            checkpoint().await?;
            let rescheduler = kept.take().unwrap();
            assert!(rescheduler.reschedule(Ok(())).is_err(), "nobody waits");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn a_value_is_not_handed_to_a_waiter_of_a_run_that_is_over() {
    let (sender, receiver) = channel::<u32>(1);
    let (sender, receiver) = (Rc::new(sender), Rc::new(receiver));
    let mut old: Option<Block<'static>> = None;
    run_mock(async {
        let own = receiver.clone();
        let mut wait: Block<'static> = Box::pin(async move { drop(own.receive().await) });
        begin(&mut wait).await;
        old = Some(wait);
        Ok(())
    })
    .unwrap();
    run_mock(async {
        sender.send_nowait(7).unwrap();
        drop(old);
        assert_eq!(
            receiver.receive_nowait().map_err(|e| e.to_string()),
            Ok(7),
            "the value was accepted and is lost"
        );
        Ok(())
    })
    .unwrap();
}

/// Two tasks wait for a lock. The first is dropped by what its own wake calls: the second has the lock then.
#[test]
fn a_lock_whose_next_owner_is_dropped_by_its_wake_goes_to_the_one_after() {
    run_mock(async {
        let lock = Lock::new();
        let held = lock.acquire().await?;
        let own = lock.clone();
        let first: Block<'static> = Box::pin(async move { drop(own.acquire().await) });
        let first = &RefCell::new(Some(first));
        nursery(async |n| {
            n.start_soon(async {
                let waker = Waker::from(Arc::new(Calls));
                let mut cx = Context::from_waker(&waker);
                let polled = first.borrow_mut().as_mut().map(|first| first.as_mut().poll(&mut cx));
                assert!(polled.is_some_and(|polled| polled.is_pending()));
                // A task that has ended is given no lock.
                Ok(sleep(1.0).await?)
            });
            // Whatever the order of a batch: the one waits before the other.
            checkpoint().await?;
            checkpoint().await?;
            n.start_soon(async {
                let _held = lock.acquire().await?;
                assert_eq!(lock.owner(), Some(current_task()));
                Ok(())
            });
            checkpoint().await?;
            checkpoint().await?;
            assert_eq!(lock.tasks_waiting(), 2);
            let first = first.take();
            ON_WAKE.set(Some(Box::new(|| drop(first))));
            drop(held);
            Ok(())
        })
        .await?;
        assert!(!lock.is_locked());
        Ok(())
    })
    .unwrap();
}
