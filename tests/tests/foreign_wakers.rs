//! Foreign wakers whose functions use the run: nothing of the run is borrowed when they are called.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::{Pin, pin},
    ptr,
    task::{Context, Poll, RawWaker, RawWakerVTable, Waker},
    time::Duration,
};
use terzetto::{Error, lowlevel::spawn_system_task, nursery, sleep, sync::Event};
use terzetto_tests::{run_mock, within};

thread_local! {
    /// The waker that the foreign one stands for.
    static INNER: RefCell<Option<Waker>> = const { RefCell::new(None) };
    static CLONES: Cell<u32> = const { Cell::new(0) };
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, |_| {});

/// Starts a task, and begins and drops a wait, as the code of another library might.
fn clone(data: *const ()) -> RawWaker {
    let count = CLONES.get();
    CLONES.set(count + 1);
    // The wait below clones the waker, too.
    if count.is_multiple_of(2) {
        let _task = spawn_system_task("of a clone", async { Ok(()) });
        let event = Event::new();
        let mut wait: Pin<&mut dyn Future<Output = _>> = pin!(event.wait());
        assert!(wait.as_mut().poll(&mut Context::from_waker(&foreign())).is_pending());
        CLONES.set(count + 2);
    }
    RawWaker::new(data, &VTABLE)
}

fn wake(_data: *const ()) {
    if let Some(inner) = INNER.with_borrow(Clone::clone) {
        inner.wake();
    }
}

fn foreign() -> Waker {
    // SAFETY: the functions of the table do nothing with the data, which is null.
    unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &VTABLE)) }
}

async fn under_a_foreign_waker<F: Future>(inside: F) -> F::Output {
    let mut inside = pin!(inside);
    poll_fn(|cx| {
        INNER.set(Some(cx.waker().clone()));
        inside.as_mut().poll(&mut Context::from_waker(&foreign()))
    })
    .await
}

/// Sets an event while `waits` waits for it under a foreign waker.
fn woken(waits: impl AsyncFn(&Event) -> Result<(), Error>) {
    run_mock(async {
        let event = Event::new();
        nursery(async |n| {
            n.start_soon(async {
                sleep(1.0).await?;
                event.set();
                Ok(())
            });
            under_a_foreign_waker(waits(&event)).await
        })
        .await
    })
    .unwrap();
    assert!(CLONES.get() > 0);
}

#[test]
fn a_foreign_waker_of_a_wait_may_use_the_run_when_it_is_cloned() {
    woken(async |event| Ok(event.wait().await?));
}

#[test]
fn a_foreign_waker_of_a_nursery_may_use_the_run_when_it_is_cloned() {
    woken(async |event| {
        nursery(async |n| {
            n.start_soon(async { Ok(event.wait().await?) });
            Ok(())
        })
        .await
    });
}

#[test]
fn nur_02_a_body_or_a_child_that_wakes_itself_in_its_last_poll_ends() {
    /// Ready at the second poll, in which it wakes its task as well.
    async fn wakes_itself_at_its_end() {
        let mut polls = 0;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            polls += 1;
            if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
    let test = async || {
        let ended = Cell::new(0);
        let body = nursery(async |n| {
            n.start_soon(async {
                wakes_itself_at_its_end().await;
                ended.set(ended.get() + 1);
                Ok(())
            });
            wakes_itself_at_its_end().await;
            Ok("value")
        });
        assert_eq!(body.await?, "value");
        assert_eq!(ended.get(), 1);
        // An error that comes in such a poll is not lost.
        let failed = nursery(async |n| {
            n.start_soon(async {
                wakes_itself_at_its_end().await;
                Err(Error::msg("of the child"))
            });
            wakes_itself_at_its_end().await;
            Err::<(), _>(Error::msg("of the body"))
        });
        let error = failed.await.unwrap_err().to_string();
        assert!(error.contains("of the child") && error.contains("of the body"), "{error}");
        Ok(())
    };
    within(Duration::from_secs(10), move || run_mock(test()).unwrap());
}
