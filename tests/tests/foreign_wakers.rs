//! Foreign wakers whose functions use the run: nothing of the run is borrowed when they are called.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::{Pin, pin},
    ptr,
    task::{Context, RawWaker, RawWakerVTable, Waker},
};
use terzetto::{Error, lowlevel::spawn_system_task, nursery, sleep, sync::Event};
use terzetto_tests::run_mock;

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
