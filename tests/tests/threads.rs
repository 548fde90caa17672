//! THREAD: work in threads, and calls from threads. The subject is real threads, so time is real.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc, Barrier, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, ContextVar, Error, Instrument, RunFinished, Token, checkpoint, current_task,
    from_thread,
    from_thread::CallError,
    nursery, sleep, sleep_forever,
    sync::CapacityLimiter,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
    to_thread,
    to_thread::Limit,
};

/// Holds threads back until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

#[test]
fn thread_03_an_abandoned_thread_goes_on_and_its_result_is_dropped() {
    terzetto::run(async {
        let gate = Gate::default();
        let (dropped, scope) = (Arc::new(()), CancelScope::new());
        nursery(async |n| {
            let (held, passed) = (dropped.clone(), gate.clone());
            let scope = &scope;
            n.start_soon(async move {
                let job = to_thread::options().abandon_on_cancel(true).run_sync(move || {
                    passed.pass();
                    held
                });
                scope.run(async { job.await.map(drop) }).await.map(drop)
            });
            wait_all_tasks_blocked(0.01).await?;
            scope.cancel();
            Ok(())
        })
        .await?;
        assert!(scope.cancelled_caught());
        assert_eq!((to_thread::active_thread_count(), Arc::strong_count(&dropped)), (1, 2));
        gate.open();
        to_thread::wait_all_threads_completed().await?;
        assert_eq!((to_thread::active_thread_count(), Arc::strong_count(&dropped)), (0, 1));
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_04_the_token_is_held_until_the_thread_is_done() {
    terzetto::run(async {
        assert_eq!(to_thread::default_limiter().total_tokens(), 40);
        let limiter = CapacityLimiter::new(1);
        let (gate, scope) = (Gate::default(), CancelScope::new());
        nursery(async |n| {
            let passed = gate.clone();
            let (limiter, scope) = (&limiter, &scope);
            n.start_soon(async move {
                let options = to_thread::options().limiter(limiter).abandon_on_cancel(true);
                scope.run(async { options.run_sync(move || passed.pass()).await }).await.map(drop)
            });
            wait_all_tasks_blocked(0.01).await?;
            assert_eq!(limiter.borrowed_tokens(), 1);
            scope.cancel();
            Ok(())
        })
        .await?;
        assert!(scope.cancelled_caught());
        assert_eq!(limiter.borrowed_tokens(), 1, "abandoned, and still busy");
        gate.open();
        to_thread::options().limiter(&limiter).run_sync(|| ()).await?;
        to_thread::wait_all_threads_completed().await?;
        assert_eq!(limiter.borrowed_tokens(), 0);
        assert_eq!(to_thread::default_limiter().borrowed_tokens(), 0, "a custom limiter is used as given");
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_04_the_limiters_own_error_prevents_the_start() {
    /// Admits nobody.
    struct Closed;
    impl Limit for Closed {
        type Token = ();
        async fn admit(&self) -> Result<(), Error> {
            Err(Error::msg("closed for the day"))
        }
    }
    terzetto::run(async {
        let ran = Arc::new(AtomicBool::new(false));
        let seen = ran.clone();
        let outcome = to_thread::options().limiter(Closed).run_sync(move || seen.store(true, SeqCst)).await;
        assert_eq!(outcome.unwrap_err().to_string(), "closed for the day");
        assert!(!ran.load(SeqCst));
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_04_one_task_may_run_many_jobs_at_once_under_a_full_limiter() {
    terzetto::run(async {
        let limiter = CapacityLimiter::new(1);
        let job = |i: usize| to_thread::options().limiter(&limiter).run_sync(move || i);
        let results = futures_util::future::join_all((0..20).map(job)).await;
        let results: Vec<usize> = results.into_iter().collect::<Result<_, Error>>()?;
        assert_eq!(results, (0..20).collect::<Vec<_>>());
        assert_eq!(limiter.borrowed_tokens(), 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_05_no_more_threads_than_tokens_run_and_jobs_queue_in_order() {
    terzetto::run(async {
        let limiter = CapacityLimiter::new(3);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        nursery(async |n| {
            for _ in 0..30 {
                let (running, most, limiter) = (running.clone(), most.clone(), &limiter);
                n.start_soon(async move {
                    let job = move || {
                        most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                        thread::sleep(Duration::from_millis(1));
                        running.fetch_sub(1, SeqCst);
                    };
                    to_thread::options().limiter(limiter).run_sync(job).await
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!(most.load(SeqCst), 3);
        // One at a time, in the order in which they asked.
        let (one, order) = (CapacityLimiter::new(1), Arc::new(Mutex::new(Vec::new())));
        nursery(async |n| {
            for i in 0..10 {
                let (one, order) = (&one, order.clone());
                n.start_soon(async move {
                    to_thread::options().limiter(one).run_sync(move || order.lock().unwrap().push(i)).await
                });
                wait_all_tasks_blocked(0.0).await?;
            }
            Ok(())
        })
        .await?;
        assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_06_a_thread_that_cannot_be_had_is_an_error_and_returns_the_token() {
    // No machine has room for such a stack.
    Builder::new()
        .thread_stack_size(1 << 60)
        .run(async {
            let error = to_thread::run_sync(|| ()).await.unwrap_err();
            assert!(error.downcast_ref::<std::io::Error>().is_some(), "{error}");
            assert_eq!(to_thread::default_limiter().borrowed_tokens(), 0);
            assert_eq!(to_thread::active_thread_count(), 0);
            Ok(())
        })
        .unwrap();
}

#[test]
fn thread_07_calls_from_a_thread_run_on_the_loop() {
    terzetto::run(async {
        let here = thread::current().id();
        let outcome: Result<(), Error> = to_thread::run_sync(move || {
            let there = from_thread::run_sync(|| thread::current().id())?;
            assert_eq!(there, here);
            let value = from_thread::run(async || {
                sleep(0.001).await?;
                Ok(7)
            })?;
            assert_eq!(value, 7);
            let error = from_thread::run(async || Err::<(), _>(Error::msg("from afar"))).unwrap_err();
            assert_eq!(error.to_string(), "from afar");
            let panicked = std::panic::catch_unwind(|| from_thread::run_sync(|| panic!("on the loop")));
            assert_eq!(*panicked.unwrap_err().downcast_ref::<&str>().unwrap(), "on the loop");
            let panicked = std::panic::catch_unwind(|| {
                from_thread::run(async || {
                    checkpoint().await?;
                    if current_task().is_alive() {
                        panic!("in a future");
                    }
                    Ok(())
                })
            });
            assert_eq!(*panicked.unwrap_err().downcast_ref::<&str>().unwrap(), "in a future");
            Ok(())
        })
        .await?;
        outcome
    })
    .unwrap();
}

#[test]
fn thread_08_calls_run_in_the_waiting_task_under_its_scopes() {
    terzetto::run(async {
        let scope = CancelScope::new();
        nursery(async |n| {
            let scope = &scope;
            n.start_soon_named("host", async move {
                let job = || {
                    let name = from_thread::run_sync(|| current_task().name().to_owned())?;
                    // Until the scope of the task that waits is cancelled.
                    let error = from_thread::run(async || Ok(sleep_forever().await?)).unwrap_err();
                    Ok::<_, Error>((name, error.is_cancelled()))
                };
                let outcome = scope.run(async { to_thread::run_sync(job).await? }).await?;
                assert_eq!(outcome, Some(("host".to_owned(), true)));
                assert!(!scope.cancelled_caught(), "the thread's result was returned");
                Ok(())
            });
            wait_all_tasks_blocked(0.05).await?;
            scope.cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn thread_08_calls_of_an_abandoned_thread_run_in_a_system_task() {
    terzetto::run(async {
        let (scope, gate, (told, hears)) = (CancelScope::new(), Gate::default(), mpsc::channel());
        nursery(async |n| {
            let (scope, passed) = (&scope, gate.clone());
            n.start_soon_named("host", async move {
                let job = move || {
                    passed.pass();
                    let _heard = told.send(from_thread::run(async || {
                        checkpoint().await?;
                        Ok(current_task().name().to_owned())
                    }));
                };
                let options = to_thread::options().abandon_on_cancel(true);
                scope.run(async { options.run_sync(job).await }).await.map(drop)
            });
            wait_all_tasks_blocked(0.01).await?;
            scope.cancel();
            Ok(())
        })
        .await?;
        gate.open();
        to_thread::wait_all_threads_completed().await?;
        assert_eq!(hears.recv()??, "a call from a thread");
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_09_a_thread_learns_that_its_task_is_cancelled() {
    terzetto::run(async {
        for abandons in [false, true] {
            let (scope, working) = (CancelScope::new(), Arc::new(AtomicBool::new(false)));
            let (told, hears) = mpsc::channel();
            let at_work = working.clone();
            let job = move || {
                let error = loop {
                    match from_thread::check_cancelled() {
                        Ok(()) => at_work.store(true, SeqCst),
                        Err(error) => break error,
                    }
                    thread::sleep(Duration::from_millis(1));
                };
                let _heard = told.send(error);
            };
            let options = to_thread::options().abandon_on_cancel(abandons);
            nursery(async |n| {
                let scope = &scope;
                n.start_soon(async move {
                    let outcome = scope.run(async { options.run_sync(job).await }).await?;
                    assert_eq!(outcome.is_none(), abandons);
                    Ok(())
                });
                while !working.load(SeqCst) {
                    sleep(0.001).await?;
                }
                scope.cancel_with_reason("enough");
                Ok(())
            })
            .await?;
            to_thread::wait_all_threads_completed().await?;
            let error = hears.recv()?;
            assert!(error.is_cancelled() && error.to_string().contains("enough"), "{error}");
        }
        Ok(())
    })
    .unwrap();
    let error = from_thread::check_cancelled().unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&CallError::NotAWorker));
}

#[test]
fn thread_10_calls_that_cannot_be_made_fail_clearly() {
    // In a foreign thread a token is needed.
    let error = from_thread::run_sync(|| ()).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&CallError::NotAWorker));
    let token = terzetto::run(async {
        // On the loop's own thread: no deadlock.
        let error = from_thread::run_sync(|| ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&CallError::OnTheLoop));
        let error = Token::current().run(async || Ok(())).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&CallError::OnTheLoop));
        // From a foreign thread, by the token.
        let token = Token::current();
        let (told, hears) = mpsc::channel();
        let foreign = thread::spawn(move || {
            let name = token.run(async || {
                checkpoint().await?;
                Ok(current_task().name().to_owned())
            });
            let _heard = told.send((name, token.run_sync(|| 7)));
        });
        let (name, seven) = to_thread::run_sync(move || hears.recv()).await??;
        assert_eq!((name?, seven?), ("a call from a thread".to_owned(), 7));
        foreign.join().unwrap();
        Ok(Token::current())
    })
    .unwrap();
    let error = token.run_sync(|| ()).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&RunFinished));
}

#[test]
fn thread_10_a_call_under_way_when_the_run_ends_fails_as_run_finished() {
    let (told, hears) = mpsc::channel();
    let (token, gate) = (Mutex::new(None), Gate::default());
    thread::scope(|s| {
        s.spawn(|| {
            gate.pass();
            let token: Token = token.lock().unwrap().take().unwrap();
            told.send(token.run(async || {
                let forever = CancelScope::new().shielded(false);
                forever.run(async { Ok(sleep_forever().await?) }).await
            }))
            .unwrap();
        });
        terzetto::run(async {
            *token.lock().unwrap() = Some(Token::current());
            gate.open();
            sleep(0.02).await?;
            Ok(())
        })
        .unwrap();
    });
    // The system task was cancelled when main ended, or came too late.
    let error = hears.recv().unwrap().unwrap_err();
    assert!(error.is_cancelled() || error.downcast_ref() == Some(&RunFinished), "{error}");
}

#[test]
fn thread_11_calls_nest() {
    fn down(levels: u32) -> Result<u32, Error> {
        if levels == 0 {
            return Ok(0);
        }
        from_thread::run(async move || Ok(to_thread::run_sync(move || down(levels - 1)).await?? + 1))
    }
    let depth = terzetto::run(async { to_thread::run_sync(|| down(20)).await? });
    assert_eq!(depth.unwrap(), 20);
}

#[test]
fn thread_12_workers_are_named_and_reused_last_first() {
    /// What the system calls this thread.
    fn name() -> String {
        std::fs::read_to_string("/proc/thread-self/comm").unwrap_or_default().trim().to_owned()
    }
    fn a_named_function() -> (String, thread::ThreadId) {
        (name(), thread::current().id())
    }
    terzetto::run(async {
        let linux = cfg!(target_os = "linux");
        let (named, first) = to_thread::run_sync(a_named_function).await?;
        assert!(!linux || named == "a_named_functio", "{named}");
        let named = to_thread::options().name("fourteen bytesü").run_sync(name).await?;
        assert!(!linux || named == "fourteen bytes", "cut off at a whole character: {named}");
        // One worker is enough for one job at a time.
        for _ in 0..10 {
            assert_eq!(to_thread::run_sync(|| thread::current().id()).await?, first);
        }
        // Of several, the one that became idle last.
        let barrier = Arc::new(Barrier::new(2));
        let slow = |pause: u64| {
            let barrier = barrier.clone();
            to_thread::run_sync(move || {
                barrier.wait();
                thread::sleep(Duration::from_millis(pause));
                thread::current().id()
            })
        };
        let (early, late) = futures_util::future::join(slow(0), slow(30)).await;
        let (early, late) = (early?, late?);
        assert_ne!(early, late);
        assert_eq!(to_thread::run_sync(|| thread::current().id()).await?, late);
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_12_a_process_with_an_abandoned_thread_ends_its_run() {
    // The thread is still busy; the run does not wait for it.
    let gate = Gate::default();
    let passed = gate.clone();
    terzetto::run(async move {
        let scope = CancelScope::with_timeout(0.01);
        let options = to_thread::options().abandon_on_cancel(true);
        scope.run(async { options.run_sync(move || passed.pass()).await }).await.map(drop)
    })
    .unwrap();
    gate.open();
}

#[test]
fn thread_15_many_completions_cost_one_wake_up() {
    /// Counts how often the loop went to sleep.
    #[derive(Default)]
    struct Sleeps(Cell<usize>);
    impl Instrument for Sleeps {
        fn before_io_wait(&self, _timeout: f64) {
            self.0.set(self.0.get() + 1);
        }
    }
    let sleeps = Rc::new(Sleeps::default());
    let own = sleeps.clone();
    Builder::new()
        .instrument(sleeps)
        .run(async move {
            to_thread::default_limiter().set_total_tokens(8);
            let gate = Gate::default();
            nursery(async |n| {
                for _ in 0..8 {
                    let gate = gate.clone();
                    n.start_soon(async move { to_thread::run_sync(move || gate.pass()).await });
                }
                wait_all_tasks_blocked(0.01).await?;
                own.0.set(0);
                // The loop's thread is busy while all eight threads end.
                gate.open();
                thread::sleep(Duration::from_millis(30));
                Ok(())
            })
            .await?;
            assert!(own.0.get() <= 2, "{} sleeps for 8 completions", own.0.get());
            Ok(())
        })
        .unwrap();
}

#[test]
fn ckpt_01_a_job_is_a_checkpoint() {
    terzetto::run(async {
        assert_checkpoints(to_thread::run_sync(|| ())).await?;
        assert_checkpoints(to_thread::wait_all_threads_completed()).await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn ctx_03_what_a_thread_sets_does_not_leak() {
    static WHO: ContextVar<&str> = ContextVar::new("who");
    terzetto::run(async {
        WHO.set("task");
        let seen = to_thread::run_sync(|| WHO.set("thread")).await?;
        assert_eq!((seen, WHO.get()), (Some("task"), Some("task")));
        assert_eq!(to_thread::run_sync(|| WHO.get()).await?, Some("task"), "nor into the next job");
        Ok(())
    })
    .unwrap();
}

#[test]
fn dropping_a_waiting_future_abandons_its_thread() {
    terzetto::run(async {
        let (gate, told) = (Gate::default(), Arc::new(Mutex::new(None)));
        let (passed, note) = (gate.clone(), told.clone());
        let mut waiting = Box::pin(to_thread::run_sync(move || {
            passed.pass();
            *note.lock().unwrap() = from_thread::check_cancelled().err().map(|error| error.is_cancelled());
        }));
        for _ in 0..3 {
            assert!(futures_util::poll!(waiting.as_mut()).is_pending());
            checkpoint().await?;
        }
        drop(waiting);
        gate.open();
        to_thread::wait_all_threads_completed().await?;
        assert_eq!(*told.lock().unwrap(), Some(true));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_forgotten_waiting_future_does_no_harm() {
    terzetto::run(async {
        let log = Rc::new(RefCell::new(Vec::new()));
        let held = log.clone();
        let gate = Gate::default();
        let passed = gate.clone();
        let mut waiting = Box::pin(async move {
            let value = to_thread::run_sync(move || {
                passed.pass();
                7
            });
            let value = value.await?;
            held.borrow_mut().push(value);
            Ok::<_, Error>(())
        });
        for _ in 0..3 {
            assert!(futures_util::poll!(waiting.as_mut()).is_pending());
            checkpoint().await?;
        }
        std::mem::forget(waiting);
        gate.open();
        to_thread::wait_all_threads_completed().await?;
        checkpoint().await?;
        assert!(log.borrow().is_empty());
        Ok(())
    })
    .unwrap();
}
