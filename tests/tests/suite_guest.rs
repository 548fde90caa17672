//! trio's `test_guest_mode`: a run in the loop of a host, which acts on it between ticks.

use signal_hook::{consts::SIGINT, low_level::raise};
use std::{
    cell::{Cell, RefCell},
    io::Write,
    os::unix::net::UnixStream,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};
use terzetto::{
    Builder, CancelScope, Error, InternalError, checkpoint, current_time,
    io::{StreamError, notify_closing, wait_readable, wait_writable},
    lowlevel::{
        Clock, GuestRun, GuestTick, Instrument, RunFinished, Token, add_instrument, in_run, in_task,
        remove_instrument, spawn_system_task,
    },
    nursery, sleep, sleep_forever,
    testing::{MockClock, wait_all_tasks_blocked},
};
use terzetto_tests::in_a_child;

/// Something that the host is to do in its loop.
type Act = Box<dyn FnOnce(&GuestRun)>;

/// A host that runs ticks and does what its guest asks for.
#[derive(Clone, Default)]
struct InHost(Rc<RefCell<Vec<Act>>>);

impl InHost {
    fn soon(&self, act: impl FnOnce() + 'static) {
        self.soon_with(|_| act());
    }

    fn soon_with(&self, act: impl FnOnce(&GuestRun) + 'static) {
        self.0.borrow_mut().push(Box::new(act));
    }
}

/// Runs `main` as the guest of a simple host, and returns what comes of it. `prepare` is called when the guest is
/// there, before its first tick.
fn trivial_guest_run<T: 'static, F: Future<Output = Result<T, Error>> + 'static>(
    builder: Builder,
    main: impl FnOnce(InHost) -> F,
    prepare: impl FnOnce(&GuestRun),
) -> Result<T, Error> {
    let in_host = InHost::default();
    let (send, ticks) = mpsc::channel::<GuestTick>();
    let outcome = Rc::new(RefCell::new(None));
    let told = outcome.clone();
    let main = main(in_host.clone());
    let guest = builder.start_guest(
        main,
        move |tick| drop(send.send(tick)),
        move |end| *told.borrow_mut() = Some(end),
    )?;
    prepare(&guest);
    while !guest.is_over() {
        match ticks.recv_timeout(Duration::from_millis(if in_host.0.borrow().is_empty() {
            10_000
        } else {
            1
        })) {
            Ok(tick) => tick.run(),
            Err(_) => assert!(!in_host.0.borrow().is_empty(), "the guest hangs"),
        }
        let acts = in_host.0.take();
        acts.into_iter().for_each(|act| act(&guest));
    }
    outcome.take().unwrap()
}

fn guest<T: 'static, F: Future<Output = Result<T, Error>> + 'static>(
    main: impl FnOnce(InHost) -> F,
) -> Result<T, Error> {
    trivial_guest_run(Builder::new(), main, |_| ())
}

#[test]
fn trio_guest_trivial() {
    let outcome = guest(|_| async {
        checkpoint().await?;
        Ok("ok")
    });
    assert_eq!(outcome.unwrap(), "ok");
    let outcome = guest(|_| async { Err::<(), _>(Error::msg("whoopsiedaisy")) });
    assert_eq!(outcome.unwrap_err().to_string(), "whoopsiedaisy");
}

#[test]
fn trio_guest_is_initialized_when_start_returns() {
    let record: Arc<std::sync::Mutex<Vec<&str>>> = Arc::default();
    let note = |what: &'static str| {
        let record = record.clone();
        move || record.lock().unwrap().push(what)
    };
    let token: Rc<RefCell<Option<Token>>> = Rc::default();
    let (expected, main_ran) = (token.clone(), note("main task ran"));
    let outcome = trivial_guest_run(
        Builder::new(),
        |_| async move {
            main_ran();
            checkpoint().await?;
            assert_eq!(Some(Token::current()), expected.take());
            Ok("ok")
        },
        |guest| {
            assert!(record.lock().unwrap().is_empty(), "the main task has not begun");
            *token.borrow_mut() = Some(guest.token());
            guest.token().run_sync_soon(note("call made")).unwrap();
            let system_ran = note("system task ran");
            let started = guest.enter(|| {
                assert!(in_run() && !in_task() && current_time() > 0.0);
                assert_eq!(Token::current(), guest.token());
                spawn_system_task("early", async move {
                    system_ran();
                    Ok(checkpoint().await?)
                })
            });
            assert_eq!(started.unwrap().unwrap().name(), "early");
            assert!(!in_run());
        },
    );
    assert_eq!(outcome.unwrap(), "ok");
    let mut record = record.lock().unwrap().clone();
    record.sort_unstable();
    assert_eq!(record, ["call made", "main task ran", "system task ran"]);

    // What goes wrong before is told where the guest is started.
    struct Bad;
    impl Clock for Bad {
        fn start(&self) {
            panic!("whoops")
        }
        fn now(&self) -> f64 {
            0.0
        }
        fn deadline_to_sleep_time(&self, _deadline: f64) -> f64 {
            0.0
        }
    }
    let started = catch_unwind(AssertUnwindSafe(|| {
        trivial_guest_run(Builder::new().clock(Rc::new(Bad)), |_| async { Ok(()) }, |_| unreachable!())
    }));
    assert_eq!(started.unwrap_err().downcast_ref(), Some(&"whoops"));
    assert!(!in_run());
}

#[test]
fn a_guest_that_is_over_is_not_entered() {
    let handle: Rc<RefCell<Option<GuestRun>>> = Rc::default();
    let (send, ticks) = mpsc::channel::<GuestTick>();
    let guest =
        Builder::new().start_guest(async { Ok(()) }, move |tick| drop(send.send(tick)), |_| ()).unwrap();
    *handle.borrow_mut() = Some(guest);
    let over = || handle.borrow().as_ref().unwrap().is_over();
    while !over() {
        ticks.recv().unwrap().run();
    }
    let guest = handle.take().unwrap();
    assert_eq!(guest.enter(|| unreachable!()), Err::<(), _>(RunFinished));
    assert_eq!(guest.token().run_sync_soon(|| ()), Err(RunFinished));
}

#[test]
fn trio_guest_host_altering_deadlines_wakes_trio_up() {
    let outcome = guest(|in_host| async move {
        let scope = CancelScope::new();
        let own = scope.clone();
        in_host.soon(move || own.set_deadline(f64::NEG_INFINITY));
        scope.run(async { Ok(sleep_forever().await?) }).await?;
        assert!(scope.cancelled_caught());
        let scope = CancelScope::new();
        let own = scope.clone();
        // A change that does not alter the next deadline, and one that does.
        in_host.soon(move || own.set_deadline(1e6));
        let own = scope.clone();
        in_host.soon(move || own.set_deadline(f64::NEG_INFINITY));
        scope.run(async { Ok(sleep(999.0).await?) }).await?;
        assert!(scope.cancelled_caught());
        Ok("ok")
    });
    assert_eq!(outcome.unwrap(), "ok");
}

#[test]
fn trio_guest_mode_trio_context_detection() {
    assert!(!in_run() && !in_task());
    guest(|in_host| async move {
        for _ in 0..2 {
            assert!(in_run() && in_task());
            // Between ticks no run is current here: see tests/README.md.
            in_host.soon(|| assert!(!in_run() && !in_task()));
            sleep(0.001).await?;
        }
        Ok(())
    })
    .unwrap();
    assert!(!in_run() && !in_task());
}

/// Does something in the host once the guest sleeps, and something else when it has woken.
struct Helper {
    in_host: InHost,
    scope: CancelScope,
    primed: Cell<bool>,
    own: RefCell<Option<Rc<dyn Instrument>>>,
}

impl Instrument for Helper {
    fn before_io_wait(&self, timeout: f64) {
        if timeout > 9000.0 && timeout.is_finite() && !self.primed.replace(true) {
            let scope = self.scope.clone();
            self.in_host.soon(move || scope.set_deadline(current_deadline()));
        }
    }
    fn after_io_wait(&self, timeout: f64) {
        if self.primed.get() {
            assert!(timeout > 9000.0, "the time limit of the sleep: {timeout}");
            let scope = self.scope.clone();
            self.in_host.soon(move || scope.cancel());
            if let Some(own) = self.own.take() {
                remove_instrument(&own);
            }
        }
    }
}

/// A time far away by any clock.
fn current_deadline() -> f64 {
    1e9
}

#[test]
fn trio_guest_host_wakeup_doesnt_trigger_wait_all_tasks_blocked() {
    let outcome = guest(|in_host| async move {
        nursery(async |n| {
            let idle = CancelScope::new();
            let waits = idle.clone();
            n.start_soon(async move {
                let waited = waits.run(async { Ok(wait_all_tasks_blocked(9999.0).await?) }).await?;
                assert!(waited.is_none(), "woken by the host's change of a deadline");
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            let in_host = in_host.clone();
            n.start_soon(async move {
                let scope = CancelScope::new();
                let helper = Rc::new(Helper {
                    in_host,
                    scope: scope.clone(),
                    primed: Cell::new(false),
                    own: RefCell::default(),
                });
                *helper.own.borrow_mut() = Some(helper.clone());
                add_instrument(helper);
                scope.run(async { Ok(sleep_forever().await?) }).await?;
                assert!(scope.cancelled_caught());
                idle.cancel();
                Ok(())
            });
            Ok(())
        })
        .await?;
        Ok("ok")
    });
    assert_eq!(outcome.unwrap(), "ok");
}

#[test]
fn trio_guest_mode_internal_errors() {
    let error = guest(|_| async {
        spawn_system_task("broken", async { Err(Error::msg("in the run")) })?;
        Ok(sleep(1.0).await?)
    })
    .unwrap_err();
    assert!(error.downcast_ref::<InternalError>().is_some(), "{error}");
}

#[test]
fn trio_guest_mode_ki() {
    if !in_a_child("trio_guest_mode_ki") {
        return;
    }
    // In the guest, and in the host.
    let outcome = guest(|in_host| async move {
        raise(SIGINT)?;
        assert!(checkpoint().await.unwrap_err().is_interrupt());
        in_host.soon(|| raise(SIGINT).unwrap());
        Ok(sleep(10.0).await?)
    });
    let error = outcome.unwrap_err();
    assert!(error.is_interrupted() && error.group().is_none(), "{error}");

    // When the main task has failed: both come out.
    let error = guest(|_| async {
        raise(SIGINT)?;
        Err::<(), _>(Error::msg("whoa"))
    })
    .unwrap_err();
    assert!(error.is_interrupted() && error.to_string().contains("whoa"), "{error}");
}

#[test]
fn trio_guest_mode_autojump_clock_threshold_changing() {
    let begun = Instant::now();
    for change in [
        (|clock: &MockClock| clock.set_autojump_threshold(0.0)) as fn(&MockClock),
        |clock| clock.jump(120.0),
        |clock| clock.set_rate(1e6),
    ] {
        let clock = MockClock::new();
        let own = clock.clone();
        let main = |in_host: InHost| async move {
            assert_eq!(current_time(), 0.0);
            in_host.soon(move || change(&own));
            sleep(120.0).await?;
            assert!(current_time() >= 120.0);
            Ok(())
        };
        trivial_guest_run(Builder::new().clock(clock), main, |_| ()).unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn trio_guest_notify_closing_after_events() {
    // The host closes what the guest waits for, between the event and the tick that would hear of it.
    guest(|in_host| async move {
        let (a, mut b) = UnixStream::pair()?;
        a.set_nonblocking(true)?;
        let a = Rc::new(a);
        let own = a.clone();
        in_host.soon_with(move |guest| {
            b.write_all(b"x").unwrap();
            // The watcher may have asked for a tick by now.
            std::thread::sleep(Duration::from_millis(10));
            guest.enter(|| notify_closing(&*own)).unwrap();
            drop(b);
        });
        match wait_readable(&*a).await {
            Ok(()) | Err(StreamError::Closed) => {}
            Err(error) => return Err(error.into()),
        }
        // Nothing is left of it.
        match wait_writable(&*a).await {
            Ok(()) | Err(StreamError::Closed) => Ok(()),
            Err(error) => Err(error.into()),
        }
    })
    .unwrap();
}

/// Counts looks for events, by whether they had a time limit of zero.
#[derive(Default)]
struct Looks {
    before: RefCell<Vec<f64>>,
    after: RefCell<Vec<f64>>,
}

impl Instrument for Looks {
    fn before_io_wait(&self, timeout: f64) {
        self.before.borrow_mut().push(timeout);
    }
    fn after_io_wait(&self, timeout: f64) {
        self.after.borrow_mut().push(timeout);
    }
}

#[test]
fn a_guests_instruments_hear_how_long_it_sleeps() {
    let looks = Rc::new(Looks::default());
    let main = |_| async {
        for _ in 0..3 {
            checkpoint().await?;
        }
        Ok(sleep(0.05).await?)
    };
    trivial_guest_run(Builder::new().instrument(looks.clone()), main, |_| ()).unwrap();
    let (before, after) = (looks.before.take(), looks.after.take());
    assert_eq!(before, after);
    assert!(before.len() >= 5 && before[..4].iter().all(|&timeout| timeout == 0.0), "{before:?}");
    assert!(before.iter().any(|&timeout| timeout > 0.02 && timeout <= 0.05), "{before:?}");
}

#[test]
fn a_guest_is_not_over_in_a_tick_of_its_own() {
    let handle: Rc<RefCell<Option<GuestRun>>> = Rc::default();
    let (send, ticks) = mpsc::channel::<GuestTick>();
    let (own, done) = (handle.clone(), Rc::new(Cell::new(false)));
    let told = done.clone();
    let main = async move {
        for _ in 0..2 {
            let of_own = |guest: &GuestRun| (guest.is_over(), guest.enter(in_task));
            assert_eq!(own.borrow().as_ref().map(of_own), Some((false, Ok(true))));
            sleep(0.001).await?;
        }
        Ok(())
    };
    let guest = Builder::new()
        .start_guest(
            main,
            move |tick| drop(send.send(tick)),
            move |end: Result<(), Error>| told.set(end.is_ok()),
        )
        .unwrap();
    *handle.borrow_mut() = Some(guest);
    while !done.get() {
        ticks.recv_timeout(Duration::from_secs(10)).unwrap().run();
    }
    assert!(handle.borrow().as_ref().unwrap().is_over());
}

/// Sets an event when the loop is about to sleep.
struct Wakes(terzetto::sync::Event);

impl Instrument for Wakes {
    fn before_io_wait(&self, timeout: f64) {
        if timeout > 0.0 {
            self.0.set();
        }
    }
}

#[test]
fn what_a_hook_has_woken_does_not_wait() {
    let main = |event: terzetto::sync::Event| async move {
        add_instrument(Rc::new(Wakes(event.clone())));
        Ok(event.wait().await?)
    };
    guest(|_| main(terzetto::sync::Event::new())).unwrap();
    terzetto_tests::within(Duration::from_secs(10), move || {
        terzetto::run(main(terzetto::sync::Event::new())).unwrap();
    });
}
