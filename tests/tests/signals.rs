//! SIG: signals and Ctrl-C. They are the process's, so these tests run one at a time.

use futures_util::{AsyncReadExt, StreamExt};
use signal_hook::{consts::*, low_level};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, Cancelled, Error, channel, checkpoint,
    compat::FuturesIo,
    current_task,
    lowlevel::cancel_shielded_checkpoint,
    move_on_after, nursery,
    signal::{OpenSignalError, Signal, open_signal_receiver},
    sleep, sleep_forever,
    sync::Condition,
    testing::{memory_stream_pair, wait_all_tasks_blocked},
    to_thread,
};
use terzetto_tests::in_a_child;

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a signal to this process in a while, from another thread.
fn raise_soon(signal: i32) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        low_level::raise(signal).unwrap();
    })
}

#[test]
fn sig_01_signals_come_out_of_the_receiver() {
    let _alone = alone();
    terzetto::run(async {
        let signals = open_signal_receiver(&[Signal::USR1, Signal::HUP, Signal::TERM])?;
        let sender = raise_soon(SIGUSR1);
        assert_eq!(signals.receive().await?, Signal::USR1, "the sleeping loop is woken");
        to_thread::run_sync(|| sender.join().unwrap()).await?;
        // Different kinds are told apart, several of one kind may merge.
        for signal in [SIGTERM, SIGHUP, SIGHUP, SIGHUP] {
            low_level::raise(signal)?;
        }
        cancel_shielded_checkpoint().await;
        let mut got = Vec::new();
        while signals.pending() > 0 {
            got.push(signals.receive().await?);
        }
        got.sort();
        assert_eq!(got, [Signal::HUP, Signal::TERM]);
        // Nor is one lost with a future that is dropped while others run.
        low_level::raise(SIGHUP)?;
        cancel_shielded_checkpoint().await;
        assert!(futures_util::poll!(std::pin::pin!(signals.receive())).is_pending());
        assert_eq!(signals.receive().await?, Signal::HUP);
        // A cancelled wait takes none.
        let scope = CancelScope::new();
        scope.cancel();
        low_level::raise(SIGUSR1)?;
        scope.run(async { Ok(signals.receive().await.map(drop)?) }).await?;
        assert_eq!((scope.cancelled_caught(), signals.receive().await?), (true, Signal::USR1));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sig_01_every_receiver_of_a_signal_gets_it() {
    let _alone = alone();
    terzetto::run(async {
        let one = open_signal_receiver(&[Signal::USR1])?;
        let two = open_signal_receiver(&[Signal::USR1, Signal::USR2])?;
        low_level::raise(SIGUSR1)?;
        assert_eq!((one.receive().await?, two.receive().await?), (Signal::USR1, Signal::USR1));
        Ok(())
    })
    .unwrap();
}

/// Runs a test of SIGUSR2 in a process that has a handler for it; it is told whether that one ran since
/// it last asked.
fn with_a_former_handler(test: impl FnOnce(&dyn Fn() -> bool)) {
    let _alone = alone();
    let ran = Arc::new(AtomicBool::new(false));
    let id = signal_hook::flag::register(SIGUSR2, ran.clone()).unwrap();
    test(&|| ran.swap(false, SeqCst));
    low_level::unregister(id);
}

#[test]
fn sig_02_the_former_disposition_is_restored() {
    with_a_former_handler(|ran| {
        terzetto::run(async {
            let signals = open_signal_receiver(&[Signal::USR2])?;
            low_level::raise(SIGUSR2)?;
            assert_eq!(signals.receive().await?, Signal::USR2);
            assert!(!ran(), "while the receiver is open, only it gets the signal");
            Ok(())
        })
        .unwrap();
        low_level::raise(SIGUSR2).unwrap();
        assert!(ran());
    });
}

#[test]
fn sig_02_sets_that_make_no_sense_are_refused() {
    let _alone = alone();
    terzetto::run(async {
        let open = |signals: &[Signal]| open_signal_receiver(signals).unwrap_err();
        assert!(matches!(open(&[]), OpenSignalError::Empty));
        assert!(matches!(open(&[Signal::KILL]), OpenSignalError::Forbidden(Signal::KILL)));
        for number in [0, -1, 65, 1000] {
            assert!(matches!(open(&[Signal::from_raw(number)]), OpenSignalError::Io(..)));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn sig_02_a_signal_that_is_named_twice_is_received_once() {
    with_a_former_handler(|ran| {
        terzetto::run(async {
            let signals = open_signal_receiver(&[Signal::USR2, Signal::HUP, Signal::USR2])?;
            low_level::raise(SIGUSR2)?;
            assert_eq!((signals.receive().await?, signals.pending()), (Signal::USR2, 0));
            Ok(())
        })
        .unwrap();
        low_level::raise(SIGUSR2).unwrap();
        assert!(ran(), "the former disposition is restored");
    });
}

#[test]
fn sig_03_what_was_not_taken_goes_to_the_former_disposition() {
    with_a_former_handler(|ran| {
        terzetto::run(async {
            let signals = open_signal_receiver(&[Signal::USR2])?;
            low_level::raise(SIGUSR2)?;
            assert!(!ran());
            drop(signals);
            assert!(ran(), "sent again, to this thread, before the receiver is gone");
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn sig_04_ctrl_c_is_an_error_of_the_main_task() {
    if !in_a_child("sig_04_ctrl_c_is_an_error_of_the_main_task") {
        return;
    }
    // It comes while the loop sleeps; cleanup runs; the run returns it.
    let mut cleaned = false;
    let sender = raise_soon(SIGINT);
    let outcome: Result<(), Error> = terzetto::run(async {
        let interrupted = sleep_forever().await.unwrap_err();
        assert!(interrupted.is_interrupt() && interrupted.to_string().contains("Ctrl-C"));
        // Raised once: it belongs to no scope.
        sleep(0.01).await?;
        cleaned = true;
        Err(interrupted.into())
    });
    sender.join().unwrap();
    let error = outcome.unwrap_err();
    assert!(cleaned && error.is_interrupted() && !error.is_cancelled());

    // It passes scopes, cancelled or not, and shields; a nursery's children are cancelled by it.
    let sender = raise_soon(SIGINT);
    let outcome = terzetto::run(async {
        let shield = CancelScope::new().shielded(true);
        let block = nursery(async |n| {
            n.start_soon(async { Ok(sleep_forever().await?) });
            sleep_forever().await?;
            Ok(())
        });
        let outcome = shield.run(block).await;
        assert!(!shield.cancelled_caught());
        outcome.map(drop)
    });
    sender.join().unwrap();
    let error = outcome.unwrap_err();
    assert!(error.group().is_some() && error.is_interrupted() && !error.is_cancelled(), "{error}");

    // It finds the main task at the end of a nursery, too.
    let sender = raise_soon(SIGINT);
    let outcome = terzetto::run(nursery(async |n| {
        n.start_soon(async { Ok(sleep_forever().await?) });
        Ok(())
    }));
    sender.join().unwrap();
    assert!(outcome.unwrap_err().is_interrupted());

    // A checkpoint that need not wait sees it; so does the end of a run that has none.
    let outcome: Result<(), Error> = terzetto::run(async {
        low_level::raise(SIGINT)?;
        loop {
            checkpoint().await?;
        }
    });
    assert!(outcome.unwrap_err().is_interrupted());
    let outcome: Result<(), Error> = terzetto::run(async { Ok(low_level::raise(SIGINT)?) });
    assert!(outcome.unwrap_err().is_interrupted());

    // A second one is not lost, whatever the first is doing.
    let mut seen = 0;
    let outcome: Result<(), Error> = terzetto::run(async {
        for _ in 0..5 {
            low_level::raise(SIGINT)?;
            let shield = CancelScope::new().shielded(true);
            let interrupted = shield.run(async { Ok(sleep(60.0).await) }).await?;
            seen += u32::from(interrupted.is_some_and(|end: Result<(), Cancelled>| end.is_err()));
        }
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(seen, 5);

    // With a receiver, only the receiver sees it.
    terzetto::run(async {
        let signals = open_signal_receiver(&[Signal::INT])?;
        low_level::raise(SIGINT)?;
        assert_eq!(signals.receive().await?, Signal::INT);
        checkpoint().await?;
        Ok(())
    })
    .unwrap();

    // An operation that cannot be aborted is left to finish first.
    let sender = raise_soon(SIGINT);
    let outcome: Result<(), Error> = terzetto::run(async {
        let slow = to_thread::run_sync(|| {
            thread::sleep(Duration::from_millis(60));
            7
        });
        assert_eq!(slow.await?, 7);
        Ok(checkpoint().await?)
    });
    sender.join().unwrap();
    assert!(outcome.unwrap_err().is_interrupted());
}

#[test]
fn sig_03_a_ctrl_c_that_was_not_taken_is_raised_when_the_receiver_closes() {
    if !in_a_child("sig_03_a_ctrl_c_that_was_not_taken_is_raised_when_the_receiver_closes") {
        return;
    }
    let outcome: Result<(), Error> = terzetto::run(async {
        let signals = open_signal_receiver(&[Signal::INT])?;
        let others = open_signal_receiver(&[Signal::INT])?;
        low_level::raise(SIGINT)?;
        drop(signals);
        checkpoint().await?;
        assert_eq!(others.pending(), 1, "another receiver has it");
        drop(others);
        let interrupted = checkpoint().await.expect_err("what was in force before is in force again");
        assert!(interrupted.is_interrupt());
        checkpoint().await?;
        Err(interrupted.into())
    });
    assert!(outcome.unwrap_err().is_interrupted());
}

#[test]
fn sync_10_ctrl_c_while_a_cancelled_wait_acquires_its_lock_again_is_not_lost() {
    if !in_a_child("sync_10_ctrl_c_while_a_cancelled_wait_acquires_its_lock_again_is_not_lost") {
        return;
    }
    let outcome = terzetto::run(async {
        let (condition, scope) = (&Condition::new(), &CancelScope::new());
        nursery(async |n| {
            let mut held = condition.acquire().await?;
            n.start_soon(async move {
                let _other = condition.acquire().await?;
                scope.cancel();
                // The main task waits for this task's lock now.
                wait_all_tasks_blocked(0.01).await?;
                low_level::raise(SIGINT)?;
                // And goes on waiting for it.
                wait_all_tasks_blocked(0.01).await?;
                Ok(())
            });
            let waited = scope.run(async {
                let waited = condition.wait(&mut held).await;
                assert_eq!(condition.lock().owner(), Some(current_task()), "{waited:?}");
                Ok(waited?)
            });
            let outcome = waited.await;
            drop(held);
            assert!(!condition.lock().is_locked(), "the guard guards the lock again");
            outcome.map(drop)
        })
        .await
    });
    assert!(outcome.unwrap_err().is_interrupted());
}

#[test]
fn sig_04_ctrl_c_comes_out_of_what_begins_afresh_after_a_cancellation() {
    if !in_a_child("sig_04_ctrl_c_comes_out_of_what_begins_afresh_after_a_cancellation") {
        return;
    }
    let sender = raise_soon(SIGINT);
    let outcome: Result<(), Error> = terzetto::run(async {
        let (_sender, receiver) = channel::<u8>(0);
        let mut values = receiver.into_stream();
        let value = move_on_after(5.0, async { Ok(values.next().await.transpose()?) });
        assert!(value.await?.is_none(), "nothing was sent");
        Ok(())
    });
    sender.join().unwrap();
    assert!(outcome.unwrap_err().is_interrupted());
    let sender = raise_soon(SIGINT);
    let outcome: Result<(), Error> = terzetto::run(async {
        let (stream, _other) = memory_stream_pair();
        let mut stream = FuturesIo::new(stream);
        let read = move_on_after(5.0, async { Ok(stream.read(&mut [0; 8]).await?) });
        assert!(read.await?.is_none(), "nothing was sent");
        Ok(())
    });
    sender.join().unwrap();
    assert!(outcome.unwrap_err().is_interrupted());
}

#[test]
fn guest_02_ctrl_c_is_an_error_of_the_guests_main_task() {
    if !in_a_child("guest_02_ctrl_c_is_an_error_of_the_guests_main_task") {
        return;
    }
    let (ask, ticks) = std::sync::mpsc::channel::<terzetto::lowlevel::GuestTick>();
    let outcome = std::rc::Rc::new(std::cell::RefCell::new(None));
    let result = outcome.clone();
    let guest = Builder::new()
        .start_guest(
            async { Ok(sleep_forever().await?) },
            move |tick| drop(ask.send(tick)),
            move |end| *result.borrow_mut() = Some(end),
        )
        .unwrap();
    let sender = raise_soon(SIGINT);
    while !guest.is_over() {
        ticks.recv_timeout(Duration::from_secs(20)).unwrap().run();
    }
    sender.join().unwrap();
    assert!(outcome.take().unwrap().unwrap_err().is_interrupted());
}

#[test]
fn sig_05_runs_in_two_threads_steal_nothing_from_each_other() {
    let _alone = alone();
    let receive = || {
        terzetto::run(async {
            let signals = open_signal_receiver(&[Signal::USR1])?;
            let got = terzetto::fail_after(10.0, async { Ok(signals.receive().await?) }).await?;
            Ok::<_, Error>(got)
        })
    };
    thread::scope(|s| {
        let runs: Vec<_> = (0..2).map(|_| s.spawn(receive)).collect();
        // A third one, to know that a signal reached all who had asked for it by then.
        thread::sleep(Duration::from_millis(50));
        low_level::raise(SIGUSR1).unwrap();
        for run in runs {
            assert_eq!(run.join().unwrap().unwrap(), Signal::USR1);
        }
    });
}

#[test]
fn the_tree_of_tasks_is_dumped_on_sigusr1_when_asked_for() {
    let _alone = alone();
    struct Capture(Mutex<String>);
    impl log::Log for Capture {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            self.0.lock().unwrap().push_str(&record.args().to_string());
        }
        fn flush(&self) {}
    }
    static LOG: Capture = Capture(Mutex::new(String::new()));
    let _other = log::set_logger(&LOG);
    log::set_max_level(log::LevelFilter::Warn);
    Builder::new()
        .dump_on_sigusr1(true)
        .run(async {
            let scope = CancelScope::with_timeout(95.0).shielded(true);
            nursery(async |n| {
                n.start_soon_named("waits for tea", async {
                    scope.run(async { Ok(sleep(60.0).await?) }).await.map(drop)
                });
                wait_all_tasks_blocked(0.0).await?;
                low_level::raise(SIGUSR1)?;
                sleep(0.01).await?;
                scope.cancel();
                Ok(())
            })
            .await
        })
        .unwrap();
    let text = LOG.0.lock().unwrap();
    for part in ["main", "waits for tea", "sleeping", "deadline in 9", "shielded"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
