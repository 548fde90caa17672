//! GUEST: a run in the loop of somebody else.

use std::{
    cell::{Cell, RefCell},
    io::Write,
    os::unix::net::UnixStream,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::mpsc,
    thread,
    time::Duration,
};
use terzetto::{
    Builder, Error, RunError, checkpoint,
    from_thread::CallError,
    io::wait_readable,
    lowlevel::{GuestRun, GuestTick, Instrument, RunFinished, Token, spawn_system_task},
    nursery, sleep, sleep_forever,
    testing::MockClock,
    to_thread,
};
use terzetto_tests::{OnDrop, within};

enum Event {
    Tick(GuestTick),
    /// Something of the host's own.
    Own,
}

/// A host: a loop that does what it is sent, with work of its own.
struct Host {
    send: mpsc::Sender<Event>,
    events: mpsc::Receiver<Event>,
    own: Cell<u32>,
}

impl Host {
    fn new() -> Host {
        let (send, events) = mpsc::channel();
        Host { send, events, own: Cell::new(0) }
    }

    #[allow(clippy::type_complexity, reason = "said once")]
    fn invite<T: 'static>(
        &self,
        builder: Builder,
        main: impl Future<Output = Result<T, Error>> + 'static,
    ) -> (GuestRun, Rc<RefCell<Option<Result<T, Error>>>>) {
        let outcome = Rc::new(RefCell::new(None));
        let (send, result) = (self.send.clone(), outcome.clone());
        let ask = move |tick| drop(send.send(Event::Tick(tick)));
        let guest = builder.start_guest(main, ask, move |end| *result.borrow_mut() = Some(end)).unwrap();
        (guest, outcome)
    }

    /// Handles one event.
    fn turn(&self) {
        match self.events.recv_timeout(Duration::from_secs(20)).expect("the guest asks for its ticks") {
            Event::Tick(tick) => tick.run(),
            Event::Own => {
                self.own.set(self.own.get() + 1);
                if self.own.get() < 100 {
                    self.send.send(Event::Own).unwrap();
                }
            }
        }
    }

    fn turn_until_over(&self, guest: &GuestRun) {
        while !guest.is_over() {
            self.turn();
        }
    }
}

#[test]
fn guest_01_a_host_drives_the_run_and_gets_its_result() {
    let host = Host::new();
    host.send.send(Event::Own).unwrap();
    let (guest, outcome) = host.invite(Builder::new(), async {
        let (a, mut b) = UnixStream::pair()?;
        a.set_nonblocking(true)?;
        nursery(async |n| {
            n.start_soon(async { Ok(wait_readable(&a).await?) });
            sleep(0.01).await?;
            to_thread::run_sync(move || {
                thread::sleep(Duration::from_millis(10));
                b.write_all(b"x")
            })
            .await??;
            for _ in 0..1000 {
                checkpoint().await?;
            }
            Ok(())
        })
        .await?;
        Ok("done")
    });
    // Between ticks no run is current, so the host may have one of its own.
    terzetto::run(async { Ok(checkpoint().await?) }).unwrap();
    host.turn_until_over(&guest);
    assert_eq!(outcome.take().unwrap().unwrap(), "done");
    assert!(host.own.get() > 10, "the host got its turns: {}", host.own.get());
}

#[test]
fn guest_01_two_guests_share_a_host_and_clocks_may_jump() {
    let host = Host::new();
    let day = async { Ok(sleep(86_400.0).await?) };
    let (one, first) = host.invite(Builder::new().clock(MockClock::autojump()), day);
    let (two, second) = host.invite(Builder::new(), async {
        sleep(0.01).await?;
        Ok(7)
    });
    while !(one.is_over() && two.is_over()) {
        host.turn();
    }
    first.take().unwrap().unwrap();
    assert_eq!(second.take().unwrap().unwrap(), 7);
}

#[test]
fn guest_01_calls_by_the_token_wake_a_sleeping_guest() {
    let host = Host::new();
    let token = Rc::new(RefCell::new(None));
    let shown = token.clone();
    let called = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = called.clone();
    let (guest, outcome) = host.invite(Builder::new(), async move {
        *shown.borrow_mut() = Some(Token::current());
        while !seen.load(std::sync::atomic::Ordering::SeqCst) {
            let _slept = terzetto::move_on_after(0.005, async { Ok(sleep_forever().await?) }).await?;
        }
        Ok(())
    });
    while token.borrow().is_none() {
        host.turn();
    }
    let token: Token = token.take().unwrap();
    let caller = thread::spawn(move || {
        token.run_sync(move || called.store(true, std::sync::atomic::Ordering::SeqCst))
    });
    host.turn_until_over(&guest);
    caller.join().unwrap().unwrap();
    outcome.take().unwrap().unwrap();
}

#[test]
fn guest_01_thread_10_a_blocking_call_from_the_hosts_thread_fails_and_does_not_wait_for_itself() {
    within(Duration::from_secs(20), || {
        let host = Host::new();
        let shown: Rc<RefCell<Option<Token>>> = Rc::default();
        let own = shown.clone();
        let (guest, outcome) = host.invite(Builder::new(), async move {
            *own.borrow_mut() = Some(Token::current());
            Ok(sleep(0.01).await?)
        });
        host.turn();
        let token = shown.take().unwrap();
        let refused = |error: Error| error.downcast_ref() == Some(&CallError::OnTheLoop);
        assert!(token.run_sync(|| ()).is_err_and(refused));
        assert!(token.run(async || Ok(())).is_err_and(refused));
        host.turn_until_over(&guest);
        outcome.take().unwrap().unwrap();
        let error = token.run_sync(|| ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&RunFinished));
    });
}

#[test]
fn guest_02_an_error_of_the_guest_is_its_outcome() {
    let host = Host::new();
    let (guest, outcome) = host.invite(Builder::new(), async {
        checkpoint().await?;
        Err::<(), _>(Error::msg("of the guest"))
    });
    host.turn_until_over(&guest);
    assert_eq!(outcome.take().unwrap().unwrap_err().to_string(), "of the guest");
}

#[test]
fn guest_02_the_host_can_cancel_its_guest_which_cleans_up() {
    let host = Host::new();
    let cleaned = Rc::new(Cell::new(false));
    let flag = cleaned.clone();
    let (guest, outcome) = host.invite(Builder::new(), async move {
        let cancelled = sleep_forever().await;
        let cleanup = terzetto::CancelScope::with_timeout(5.0).shielded(true);
        cleanup.run(async { Ok(sleep(0.005).await?) }).await?;
        flag.set(true);
        Ok(cancelled?)
    });
    for _ in 0..2 {
        host.turn();
        guest.cancel();
    }
    host.turn_until_over(&guest);
    let error = outcome.take().unwrap().unwrap_err();
    assert!(cleaned.get() && error.is_cancelled(), "{error}");
    assert!(error.to_string().contains("the host has cancelled its guest"), "{error}");
}

#[test]
fn guest_02_a_host_that_ends_first_drops_its_guest() {
    let host = Host::new();
    let alive = Rc::new(());
    let held = alive.clone();
    let (guest, outcome) = host.invite(Builder::new(), async move {
        let _held = held;
        Ok(sleep_forever().await?)
    });
    host.turn();
    assert_eq!(Rc::strong_count(&alive), 2);
    drop(guest);
    assert_eq!(Rc::strong_count(&alive), 1);
    let error = outcome.take().unwrap().unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(RunError::Abandoned)), "{error}");
    // Ticks that were on their way do nothing.
    while let Ok(Event::Tick(tick)) = host.events.try_recv() {
        tick.run();
    }
    terzetto::run(async { Ok(()) }).unwrap();
}

/// A guest whose main task drops the handle of its own run, and goes on.
fn invite_one_that_drops_its_handle(host: &Host) -> Rc<RefCell<Option<Result<(), Error>>>> {
    let slot: Rc<RefCell<Option<GuestRun>>> = Rc::default();
    let own = slot.clone();
    let (guest, outcome) = host.invite(Builder::new(), async move {
        let handle = own.borrow_mut().take();
        drop(handle);
        Ok(sleep(0.01).await?)
    });
    *slot.borrow_mut() = Some(guest);
    outcome
}

#[test]
fn guest_02_a_guest_that_drops_its_own_handle_is_abandoned_after_the_tick() {
    let host = Host::new();
    let outcome = invite_one_that_drops_its_handle(&host);
    host.turn();
    let error = outcome.take().expect("the host is told").unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(RunError::Abandoned)), "{error}");
}

#[test]
fn guest_02_a_guest_that_drops_its_own_handle_leaves_the_run_of_its_host_alone() {
    let host = Host::new();
    let outcome = invite_one_that_drops_its_handle(&host);
    terzetto::run(async {
        host.turn();
        assert!(outcome.take().is_some_and(|outcome| outcome.is_err()));
        Ok(sleep(0.001).await?)
    })
    .unwrap();
}

#[test]
fn guest_02_a_destructor_that_panics_does_not_keep_a_guest_from_being_taken_down() {
    #[derive(Default)]
    struct Ends(Cell<u32>);
    impl Instrument for Ends {
        fn after_run(&self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let (host, ends) = (Host::new(), Rc::new(Ends::default()));
    let (waiting, alive) = (Rc::new(Cell::new(false)), Rc::new(()));
    let (waits, held) = (waiting.clone(), alive.clone());
    let (guest, _outcome) = host.invite(Builder::new().instrument(ends.clone()), async move {
        let bomb = OnDrop(|| panic!("a destructor"));
        spawn_system_task("holds a bomb", async move {
            let _bomb = bomb;
            Ok(sleep_forever().await?)
        })?;
        sleep(0.01).await?;
        // Not before the next tick, which does not come.
        spawn_system_task("never begins", async move {
            let _held = held;
            Ok(())
        })?;
        waits.set(true);
        Ok(sleep_forever().await?)
    });
    while !waiting.get() {
        host.turn();
    }
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(guest)));
    assert_eq!(dropped.unwrap_err().downcast_ref(), Some(&"a destructor"));
    assert_eq!((ends.0.get(), Rc::strong_count(&alive)), (1, 1));
    terzetto::run(async { Ok(()) }).unwrap();
}

#[test]
fn guest_02_a_panic_of_the_guest_goes_to_its_host() {
    let host = Host::new();
    let (guest, outcome) = host.invite::<()>(Builder::new(), async {
        checkpoint().await?;
        panic!("of the guest")
    });
    let caught = catch_unwind(AssertUnwindSafe(|| host.turn_until_over(&guest)));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"of the guest"));
    assert!(guest.is_over() && outcome.borrow().is_none());
    drop(guest);
    terzetto::run(async { Ok(()) }).unwrap();
}

#[test]
fn guest_02_a_tick_on_another_thread_is_refused() {
    let host = Host::new();
    let (guest, _outcome) = host.invite(Builder::new(), async { Ok(()) });
    let Ok(Event::Tick(tick)) = host.events.recv() else { panic!("a tick comes first") };
    let caught = thread::spawn(move || tick.run()).join();
    assert!(caught.unwrap_err().downcast_ref::<&str>().unwrap().contains("must be run on the thread"));
    drop(guest);
}
