//! A run that nothing can wake says so, and a run that something may still wake does not.

use futures_util::future::{Either, select};
use std::{
    cell::RefCell,
    future::{pending, poll_fn},
    io::Write,
    os::unix::net::UnixStream,
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    task::Poll,
    thread,
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, CancelSource, Deadlock, Error, OnDeadlock, blocked_report, cancellable, channel,
    checkpoint, current_task, from_thread,
    io::wait_readable,
    lowlevel::{GuestTick, Instrument, Token, add_instrument, spawn_system_task},
    move_on_after, nursery,
    process::{self, Command},
    signal::{Signal, open_signal_receiver},
    sleep, sleep_forever,
    sync::{CapacityLimiter, Event, Lock, Semaphore},
    testing::{MockClock, wait_all_tasks_blocked},
    to_thread,
};

/// Long enough that the run sleeps before it is woken.
const SOON: Duration = Duration::from_millis(50);

/// Runs under a mock clock, where a deadlock is an error.
fn mocked<T>(main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    Builder::new().clock(MockClock::autojump()).run(main)
}

fn report_of(error: &Error) -> &str {
    error.downcast_ref::<Deadlock>().unwrap_or_else(|| panic!("no deadlock: {error:?}")).report()
}

#[test]
fn see_01_under_a_mock_clock_a_deadlock_is_the_error_of_the_run() {
    let seen = RefCell::new(None);
    let error = mocked(async {
        let ended = Event::new().wait().await;
        *seen.borrow_mut() = Some(ended.unwrap_err().reason().source());
        Ok(())
    })
    .unwrap_err();
    // Whatever the main task returns, and it could clean up.
    assert_eq!(seen.take(), Some(CancelSource::Deadlock));
    let report = report_of(&error);
    assert_eq!(
        report,
        "deadlock: the only task is blocked, and nothing that exists can wake it\n- task main, waiting for an event"
    );
    assert_eq!(format!("{error:?}"), report, "that is what `unwrap` and `main` print");
}

#[test]
fn see_01_an_error_of_the_main_task_comes_with_it() {
    let error = mocked(async {
        let _cancelled = sleep_forever().await;
        Err::<(), _>(Error::msg("too late"))
    })
    .unwrap_err();
    assert!(error.find::<Deadlock>().is_some());
    assert!(error.to_string().contains("too late"), "{error}");
}

#[test]
fn see_01_tasks_that_outlast_the_cancellation_are_dropped() {
    struct Dropped<'a>(&'a RefCell<Vec<&'static str>>, &'static str);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }
    let dropped = RefCell::new(Vec::new());
    let error = mocked(nursery(async |n| {
        n.start_soon(async {
            let _mark = Dropped(&dropped, "shielded");
            CancelScope::new().shielded(true).run(async { Ok(sleep_forever().await?) }).await.map(drop)
        });
        n.start_soon(async {
            let _mark = Dropped(&dropped, "foreign");
            pending::<()>().await;
            Ok(())
        });
        Ok(())
    }))
    .unwrap_err();
    assert!(report_of(&error).contains("all 3 tasks are blocked"), "{error}");
    assert_eq!(dropped.borrow().len(), 2);
}

#[test]
fn see_01_a_clock_that_stands_still_is_named() {
    let error = Builder::new().clock(MockClock::new()).run(async { Ok(sleep(1.0).await?) }).unwrap_err();
    let report = report_of(&error);
    assert!(report.contains("the clock stands still at 0.000 s"), "{report}");
    assert!(report.contains("sleeping (until 1.000 s from now)"), "{report}");
}

#[test]
fn see_01_a_system_task_that_cannot_end_is_part_of_it() {
    let error = mocked(async {
        spawn_system_task("stubborn", async {
            CancelScope::new().shielded(true).run(async { Ok(sleep_forever().await?) }).await.map(drop)
        })?;
        Ok(checkpoint().await?)
    })
    .unwrap_err();
    assert!(report_of(&error).contains("task stubborn, sleeping"), "{error}");
}

#[test]
fn see_01_the_builder_decides() {
    let error = Builder::new().on_deadlock(OnDeadlock::Fail).run(async { Ok(sleep_forever().await?) });
    assert!(error.unwrap_err().downcast_ref::<Deadlock>().is_some());
}

/// What was logged.
static LOG: Log = Log(Mutex::new(Vec::new()));

struct Log(Mutex<Vec<String>>);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.args().to_string());
    }

    fn flush(&self) {}
}

#[test]
fn see_01_otherwise_it_is_logged_once_and_the_run_sleeps_on() {
    let _other = log::set_logger(&LOG);
    log::set_max_level(log::LevelFilter::Warn);
    for (then, count) in [(OnDeadlock::Log, 1), (OnDeadlock::Ignore, 0)] {
        let name = format!("a sleeper with {then:?}");
        // A host's thread wakes it by a handle that the run does not know of: nothing in safe code but Ctrl-C can. So
        // this run is left asleep, on a thread of its own.
        let (begun, has_begun) = mpsc::channel();
        let task = name.clone();
        thread::spawn(move || {
            Builder::new().on_deadlock(then).run(nursery(async |n| {
                n.start_soon_named(task, async { Ok(sleep_forever().await?) });
                wait_all_tasks_blocked(0.01).await?;
                let _sent = begun.send(());
                Ok(())
            }))
        });
        has_begun.recv().unwrap();
        thread::sleep(4 * SOON);
        let logged = LOG.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(logged.iter().filter(|line| line.contains(&name)).count(), count, "{logged:?}");
    }
}

#[test]
fn see_02_the_circle_is_drawn_with_who_holds_what() {
    let error = mocked(async {
        let locks = [Lock::new(), Lock::new(), Lock::new()];
        let take = async |first: usize| {
            let _first = locks[first].acquire().await?;
            checkpoint().await?;
            let _second = locks[(first + 1) % 3].acquire().await?;
            Ok(())
        };
        nursery(async |n| {
            n.start_soon_named("a", take(0));
            n.start_soon_named("b", take(1));
            n.start_soon_named("c", take(2));
            Ok(())
        })
        .await
    })
    .unwrap_err();
    let report = report_of(&error);
    let drawn = "
  ┌─> task a is waiting for a lock, held by
  │   task b is waiting for a lock, held by
  │   task c is waiting for a lock, held by
  └── task a
- task main, waiting for the end of its nursery: task a, task b, task c
";
    assert!(report.contains(drawn), "{report}");
    assert!(report.contains("waiting for a lock, held by task c"), "{report}");
}

#[test]
fn see_02_a_circle_leads_through_nurseries_and_limiters_too() {
    let error = mocked(async {
        let limiter = CapacityLimiter::new(1);
        nursery(async |n| {
            n.start_soon_named("parent", async {
                let _loan = limiter.acquire().await?;
                nursery(async |n| {
                    n.start_soon_named("child", async {
                        let _loan = limiter.acquire().await?;
                        Ok(())
                    });
                    Ok(())
                })
                .await
            });
            Ok(())
        })
        .await
    })
    .unwrap_err();
    let report = report_of(&error);
    let drawn = "
  ┌─> task parent is waiting for the end of its nursery, in which is
  │   task child is waiting for a limiter, held by
  └── task parent
";
    assert!(report.contains(drawn), "{report}");
    assert!(report.contains("(1 of 1 tokens are borrowed)"), "{report}");
}

#[test]
fn see_02_equal_tasks_are_one_line() {
    let error = mocked(async {
        let event = Event::new();
        nursery(async |n| {
            for _ in 0..1_000 {
                n.start_soon(async { Ok(event.wait().await?) });
            }
            Ok(())
        })
        .await
    })
    .unwrap_err();
    let report = report_of(&error);
    assert!(report.contains("waiting for an event ×1000"), "{report}");
    assert!(report.contains(" and 995 more"), "{report}");
    assert!(report.lines().count() <= 4, "{report}");
}

#[test]
fn see_02_who_starts_a_task_waits_for_it() {
    let error = mocked(nursery(async |n| {
        let pending_start =
            n.start_named("starting", async |_status: terzetto::TaskStatus<()>| Ok(sleep_forever().await?));
        pending_start.await
    }))
    .unwrap_err();
    let report = report_of(&error);
    assert!(report.contains("task main, waiting for a task to be started: task starting"), "{report}");
}

#[test]
fn see_02_a_future_that_is_over_and_not_polled_is_a_futurelock() {
    let error = mocked(async {
        let permits = Semaphore::new(1);
        let mut holder = pin!(async {
            let _permit = permits.acquire().await?;
            sleep(1.0).await?;
            Ok::<(), Error>(())
        });
        // The holder begins, and then only the other branch is polled.
        match select(holder.as_mut(), pin!(sleep(0.5))).await {
            Either::Left(_) => panic!("it sleeps for longer"),
            Either::Right(_) => {
                let _mine = permits.acquire().await?;
            }
        }
        holder.await
    })
    .unwrap_err();
    let report = report_of(&error);
    assert!(report.contains("futurelock: task main has a future that could go on"), "{report}");
    assert!(report.contains("waiting for a semaphore"), "{report}");
}

/// Polls a future a few times, and lets the run go on in between.
async fn poll_a_few_times(mut kept: Pin<&mut impl Future>) -> Result<(), Error> {
    for _ in 0..4 {
        poll_fn(|cx| Poll::Ready(kept.as_mut().poll(cx).is_ready())).await;
        checkpoint().await?;
    }
    Ok(())
}

#[test]
fn see_02_a_task_whose_nursery_is_kept_and_not_polled_is_a_futurelock() {
    for deep in [false, true] {
        let error = mocked(async {
            let lock = Lock::new();
            let hold = async || {
                let _guard = lock.acquire().await?;
                Ok(sleep(1.0).await?)
            };
            let mut kept = pin!(nursery(async |n| {
                n.start_soon_named("holder", async {
                    match deep {
                        false => hold().await,
                        // The holder waits for a task of its own, which is not polled either.
                        true => {
                            nursery(async |n| {
                                n.start_soon_named("inner", hold());
                                Ok(())
                            })
                            .await
                        }
                    }
                });
                Ok(())
            }));
            poll_a_few_times(kept.as_mut()).await?;
            let _mine = lock.acquire().await?;
            kept.await
        })
        .unwrap_err();
        let report = report_of(&error);
        let name = if deep { "inner" } else { "holder" };
        let says = format!(
            "futurelock: task {name} could go on, but task main keeps the future of a nursery around it and does not \
             poll it any more"
        );
        assert!(report.contains(&says), "{report}");
        assert!(report.contains("about to go on, but its nursery is not polled"), "{report}");
        assert!(report.contains(&format!("waiting for a lock, held by task {name}")), "{report}");
        assert_eq!(report.matches("futurelock").count(), 1, "{report}");
    }
}

#[test]
fn see_02_a_body_whose_nursery_is_kept_and_not_polled_is_a_futurelock() {
    let error = mocked(async {
        let permits = Semaphore::new(1);
        let mut kept = pin!(nursery(async |_| {
            let _permit = permits.acquire().await?;
            Ok(sleep(1.0).await?)
        }));
        poll_a_few_times(kept.as_mut()).await?;
        let _mine = permits.acquire().await?;
        kept.await
    })
    .unwrap_err();
    let report = report_of(&error);
    assert!(report.contains("futurelock: task main has a future that could go on"), "{report}");
}

#[test]
fn see_02_a_task_that_will_be_polled_is_no_futurelock() {
    let ready = async || {
        for _ in 0..3 {
            checkpoint().await?;
            // The others were woken in this tick, at every depth.
            let report = blocked_report();
            assert!(!report.contains("not polled"), "{report}");
        }
        Ok(())
    };
    mocked(nursery(async |n| {
        n.start_soon(ready());
        n.start_soon(nursery(async |n| {
            n.start_soon(ready());
            ready().await
        }));
        let (first, second) = futures_util::future::join(
            nursery(async |n| {
                n.start_soon(ready());
                Ok(())
            }),
            ready(),
        )
        .await;
        first.and(second)
    }))
    .unwrap();
}

// What may still wake a run: each of these sleeps without a deadline, and is woken.

#[test]
fn see_03_a_deadline_may_wake_a_run() {
    let outcome = mocked(move_on_after(100.0, async { Ok(Event::new().wait().await?) }));
    assert_eq!(outcome.unwrap(), None);
}

#[test]
fn see_03_a_descriptor_may_wake_a_run() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let other = thread::spawn(move || {
        thread::sleep(SOON);
        theirs.write_all(b"x").unwrap();
    });
    mocked(async { Ok(wait_readable(&ours).await?) }).unwrap();
    other.join().unwrap();
}

#[test]
fn see_03_a_worker_thread_may_wake_a_run() {
    mocked(async { to_thread::run_sync(|| thread::sleep(SOON)).await }).unwrap();
    // Also one that nobody waits for any more: it may still call back.
    mocked(async {
        let event = Event::new();
        thread_local!(static EVENT: RefCell<Option<Event>> = const { RefCell::new(None) });
        EVENT.set(Some(event.clone()));
        let abandoned = to_thread::options().abandon_on_cancel(true).run_sync(|| {
            thread::sleep(SOON);
            from_thread::run_sync(|| EVENT.with_borrow(|event| event.as_ref().unwrap().set()))
        });
        assert!(move_on_after(0.01, abandoned).await?.is_none());
        Ok(event.wait().await?)
    })
    .unwrap();
}

#[test]
fn see_03_a_signal_receiver_may_wake_a_run() {
    let got = mocked(async {
        let signals = open_signal_receiver(&[Signal::USR2])?;
        thread::spawn(|| {
            thread::sleep(SOON);
            signal_hook::low_level::raise(signal_hook::consts::SIGUSR2).unwrap();
        });
        Ok(signals.receive().await?)
    });
    assert_eq!(got.unwrap(), Signal::USR2);
}

#[test]
fn see_03_a_process_may_wake_a_run() {
    let status = mocked(async {
        let process = process::open_process(Command::new("sleep").arg("0.05")).await?;
        process.wait().await
    });
    assert!(status.unwrap().success());
}

#[test]
fn see_03_a_token_may_wake_a_run() {
    thread_local!(static EVENT: RefCell<Option<Event>> = const { RefCell::new(None) });
    mocked(async {
        let event = Event::new();
        EVENT.set(Some(event.clone()));
        let token = Token::current();
        thread::spawn(move || {
            thread::sleep(SOON);
            token.run_sync_soon(|| EVENT.with_borrow(|event| event.as_ref().unwrap().set())).unwrap();
        });
        Ok(event.wait().await?)
    })
    .unwrap();
    // A token that was dropped wakes nobody.
    let error = mocked(async {
        drop(Token::current().clone());
        Ok(sleep_forever().await?)
    });
    report_of(&error.unwrap_err());
}

/// A foreign future, which a thread wakes.
async fn foreign() {
    let done = Arc::new(AtomicBool::new(false));
    let mut begun = false;
    poll_fn(|cx| {
        if done.load(SeqCst) {
            return Poll::Ready(());
        }
        if !std::mem::replace(&mut begun, true) {
            let (waker, done) = (cx.waker().clone(), done.clone());
            thread::spawn(move || {
                thread::sleep(SOON);
                done.store(true, SeqCst);
                waker.wake();
            });
        }
        Poll::Pending
    })
    .await;
}

#[test]
fn see_03_a_foreign_waker_may_wake_a_run() {
    for _ in 0..20 {
        mocked(async {
            foreign().await;
            cancellable(foreign()).await?;
            // Beside an operation of ours, which is all that the run knows of.
            match select(pin!(Event::new().wait()), pin!(foreign())).await {
                Either::Left(_) => panic!("nobody sets it"),
                Either::Right(_) => Ok(()),
            }
        })
        .unwrap();
    }
    // Nobody has a waker for this one.
    let error = mocked(async {
        pending::<()>().await;
        Ok(())
    })
    .unwrap_err();
    assert!(report_of(&error).contains("awaiting a foreign future"), "{error}");
}

#[test]
fn see_03_the_host_of_a_guest_may_wake_it() {
    let (send, ticks) = mpsc::channel::<GuestTick>();
    let event = Event::new();
    let outcome = Rc::new(RefCell::new(None));
    let (waits, result) = (event.clone(), outcome.clone());
    let guest = Builder::new()
        .clock(MockClock::autojump())
        .start_guest(
            async move { Ok(waits.wait().await?) },
            move |tick| drop(send.send(tick)),
            move |end| *result.borrow_mut() = Some(end),
        )
        .unwrap();
    while !guest.is_over() {
        match ticks.recv_timeout(SOON) {
            Ok(tick) => tick.run(),
            Err(_) => event.set(),
        }
    }
    outcome.take().unwrap().unwrap();
}

#[test]
fn see_03_an_instrument_may_wake_a_run() {
    struct Sets(Event);
    impl Instrument for Sets {
        fn before_io_wait(&self, timeout: f64) {
            if timeout > 0.0 {
                self.0.set();
            }
        }
    }
    mocked(async {
        let event = Event::new();
        add_instrument(Rc::new(Sets(event.clone())));
        Ok(event.wait().await?)
    })
    .unwrap();
}

#[test]
fn see_03_who_waits_for_idleness_is_woken() {
    mocked(nursery(async |n| {
        let event = Event::new();
        let set = event.clone();
        n.start_soon(async move { Ok(event.wait().await?) });
        wait_all_tasks_blocked(0.02).await?;
        set.set();
        Ok(())
    }))
    .unwrap();
}

#[test]
fn see_03_a_thread_that_sends_and_leaves_is_never_missed() {
    // The token, the waker and the job go at the very moment at which the run looks.
    thread_local!(static EVENT: RefCell<Option<Event>> = const { RefCell::new(None) });
    for round in 0..500 {
        mocked(async {
            let event = Event::new();
            EVENT.set(Some(event.clone()));
            let token = Token::current();
            let other = thread::spawn(move || {
                for _ in 0..round * 20 {
                    std::hint::spin_loop();
                }
                token.run_sync_soon(|| EVENT.with_borrow(|event| event.as_ref().unwrap().set())).unwrap();
            });
            event.wait().await?;
            other.join().unwrap();
            to_thread::run_sync(|| ()).await
        })
        .unwrap();
    }
}

#[test]
fn see_04_a_pending_deadline_does_not_hide_stuck_tasks() {
    mocked(async {
        let (left, right, free) = (Lock::new(), Lock::new(), Event::new());
        let both = async |first: &Lock, second: &Lock| {
            let _first = first.acquire().await?;
            checkpoint().await?;
            let _second = second.acquire().await?;
            Ok(())
        };
        let outcome = move_on_after(
            5.0,
            nursery(async |n| {
                n.start_soon_named("adam", both(&left, &right));
                n.start_soon_named("eve", both(&right, &left));
                // This one is alive, and may set the event, but has nothing to do with the locks.
                n.start_soon_named("sleeper", async { Ok(sleep(100.0).await?) });
                n.start_soon_named("waiter", async { Ok(free.wait().await?) });
                wait_all_tasks_blocked(0.0).await?;
                let report = blocked_report();
                assert!(report.starts_with("5 tasks, 1 of them running or runnable, 2 stuck:"), "{report}");
                let stuck = "task adam is waiting for a lock, held by\n  │   task eve is waiting for a lock";
                assert!(report.contains(stuck), "{report}");
                for line in report.lines().filter(|line| line.starts_with("- ")) {
                    let is_stuck = line.contains("adam (") || line.contains("eve (");
                    assert_eq!(line.contains("(a deadline in 5.000 s cancels it)"), is_stuck, "{report}");
                }
                Ok(())
            }),
        );
        assert!(outcome.await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn see_04_nobody_is_stuck_while_somebody_may_help() {
    mocked(async {
        let (lock, event) = (Lock::new(), Event::new());
        nursery(async |n| {
            n.start_soon_named("owner", async {
                let _held = lock.acquire().await?;
                Ok(sleep(1.0).await?)
            });
            n.start_soon_named("waits for the lock", async {
                let _held = lock.acquire().await?;
                event.set();
                Ok(())
            });
            n.start_soon_named("waits for the event", async { Ok(event.wait().await?) });
            wait_all_tasks_blocked(0.0).await?;
            let report = blocked_report();
            assert!(report.contains("each of the others may still be woken"), "{report}");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn see_04_the_report_takes_time_in_proportion() {
    mocked(async {
        let event = Event::new();
        nursery(async |n| {
            for _ in 0..50_000 {
                n.start_soon(nursery(async |n| {
                    n.start_soon(async { Ok(event.wait().await?) });
                    Ok(())
                }));
            }
            wait_all_tasks_blocked(0.0).await?;
            let begun = std::time::Instant::now();
            let report = blocked_report();
            assert!(report.starts_with("100001 tasks"), "{report}");
            assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
            event.set();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn see_04_a_channel_says_where_its_open_ends_were_made() {
    mocked(async {
        let (sender, receiver) = channel::<u8>(0);
        let clone = sender.clone();
        nursery(async |n| {
            let task = async {
                while receiver.next().await?.is_some() {}
                Ok(())
            };
            n.start_soon(task);
            wait_all_tasks_blocked(0.0).await?;
            let report = blocked_report();
            assert!(report.contains("2 senders are open: 1 made with the channel at "), "{report}");
            assert!(report.contains(", 1 cloned at "), "{report}");
            drop(sender);
            assert!(blocked_report().contains("1 sender is open: 1 cloned at "), "{report}");
            drop(clone);
            Ok(())
        })
        .await?;
        let _me = current_task();
        Ok(())
    })
    .unwrap();
}
