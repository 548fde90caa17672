//! What the host of a guest run does to it between ticks, by handles that both hold.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    sync::mpsc,
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, Error, channel, checkpoint,
    lowlevel::{Aborted, GuestRun, GuestTick, Rescheduler, wait_task_rescheduled},
    move_on_after, nursery, sleep, sleep_forever,
    sync::Event,
};
use terzetto_tests::begin;

type Block<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The loop of a host with one guest.
struct Host {
    ticks: mpsc::Receiver<GuestTick>,
    guest: GuestRun,
    outcome: Rc<RefCell<Option<Result<(), Error>>>>,
}

impl Host {
    fn invite(main: impl Future<Output = Result<(), Error>> + 'static) -> Host {
        let (send, ticks) = mpsc::channel();
        let outcome = Rc::new(RefCell::new(None));
        let told = outcome.clone();
        let guest = Builder::new()
            .start_guest(main, move |tick| drop(send.send(tick)), move |end| *told.borrow_mut() = Some(end))
            .unwrap();
        Host { ticks, guest, outcome }
    }

    /// Turns until the flag is up and the guest sleeps.
    fn turn_until(&self, ready: &Cell<bool>) {
        while !ready.get() {
            self.ticks.recv_timeout(Duration::from_secs(5)).unwrap().run();
        }
        while let Ok(tick) = self.ticks.recv_timeout(Duration::from_millis(50)) {
            tick.run();
        }
    }

    /// Turns to the end, which must come in so many seconds.
    fn end(self) -> Result<(), Error> {
        while !self.guest.is_over() {
            self.ticks.recv_timeout(Duration::from_secs(3)).expect("the guest hangs").run();
        }
        self.outcome.take().unwrap()
    }
}

/// The host does `act` while the guest waits in `wait`: the guest goes on, to its end.
fn host_acts(wait: impl Future<Output = Result<(), Error>> + 'static, act: impl FnOnce()) {
    let ready = Rc::new(Cell::new(false));
    let flag = ready.clone();
    let host = Host::invite(async move {
        flag.set(true);
        wait.await
    });
    host.turn_until(&ready);
    act();
    host.end().unwrap();
}

#[test]
fn a_host_cancels_a_scope_of_its_guest() {
    let scope = CancelScope::new();
    let own = scope.clone();
    host_acts(
        async move {
            let outcome = own.run(async { Ok(sleep_forever().await?) }).await?;
            assert!(outcome.is_none());
            Ok(())
        },
        move || scope.cancel(),
    );
}

#[test]
fn a_host_sets_an_event_of_its_guest() {
    let event = Event::new();
    let own = event.clone();
    host_acts(async move { Ok(own.wait().await?) }, move || event.set());
}

#[test]
fn a_host_sends_its_guest_a_value() {
    let (sender, receiver) = channel::<u32>(0);
    host_acts(
        async move {
            assert_eq!(receiver.receive().await?, 7);
            Ok(())
        },
        move || sender.send_nowait(7).unwrap(),
    );
}

#[test]
fn a_host_reschedules_a_wait_of_its_guest() {
    let slot: Rc<RefCell<Option<Rescheduler<()>>>> = Rc::default();
    let own = slot.clone();
    host_acts(
        wait_task_rescheduled(move |waiter| *own.borrow_mut() = Some(waiter), |_| Aborted::Succeeded),
        move || slot.take().unwrap().reschedule(Ok(())).unwrap(),
    );
}

#[test]
fn a_deadline_moved_by_the_host_cancels_no_other_scope() {
    let scope = CancelScope::with_timeout(0.4);
    let (own, ready) = (scope.clone(), Rc::new(Cell::new(false)));
    let flag = ready.clone();
    let go = Rc::new(Cell::new(false));
    let goes = go.clone();
    let host = Host::invite(async move {
        own.run(async {
            flag.set(true);
            while !goes.get() {
                sleep(0.02).await?;
            }
            Ok(())
        })
        .await?;
        // Its number is another's now, which has no deadline at all.
        let other = CancelScope::new();
        let outcome = other.run(async { Ok(sleep(0.8).await?) }).await?;
        assert!(
            outcome.is_some() && !other.cancel_called(),
            "a scope without a deadline: {:?}",
            other.reason()
        );
        Ok(())
    });
    while !ready.get() {
        host.ticks.recv().unwrap().run();
    }
    // Some time to have the deadline in the table.
    for _ in 0..3 {
        host.ticks.recv().unwrap().run();
    }
    scope.set_deadline(f64::INFINITY);
    go.set(true);
    host.end().unwrap();
}

#[test]
fn a_wait_dropped_by_the_host_takes_nobody_elses_place() {
    let event = Event::new();
    let slot: Rc<RefCell<Option<Block<'static>>>> = Rc::default();
    let (ready, again) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let (own, held, flag, goes) = (event.clone(), slot.clone(), ready.clone(), again.clone());
    let host = Host::invite(async move {
        let (scope, woken) = (CancelScope::new(), Cell::new(false));
        let outcome = move_on_after(
            1.5,
            nursery(async |n| {
                n.start_soon(async {
                    scope
                        .run(async {
                            let event = own.clone();
                            let mut wait: Block<'static> = Box::pin(async move { drop(event.wait().await) });
                            begin(&mut wait).await;
                            *held.borrow_mut() = Some(wait);
                            Ok(sleep_forever().await?)
                        })
                        .await?;
                    Ok(())
                });
                checkpoint().await?;
                checkpoint().await?;
                flag.set(true);
                while !goes.get() {
                    sleep(0.01).await?;
                }
                n.start_soon(async {
                    own.wait().await?;
                    woken.set(true);
                    Ok(())
                });
                checkpoint().await?;
                checkpoint().await?;
                assert_eq!(own.tasks_waiting(), 1);
                scope.cancel();
                assert_eq!(own.tasks_waiting(), 1, "who waits outside the scope has lost its place");
                own.set();
                Ok(())
            }),
        )
        .await?;
        assert!(woken.get() && outcome.is_some(), "the event is set, and a waiter sleeps on");
        Ok(())
    });
    while !ready.get() {
        host.ticks.recv().unwrap().run();
    }
    drop(slot.take());
    again.set(true);
    host.end().unwrap();
}
