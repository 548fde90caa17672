//! A job: when it starts, what it holds, and what becomes of its result.

use super::Gate;
use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};
use terzetto::{
    CancelScope, ContextVar, Error, checkpoint, from_thread, nursery,
    sync::CapacityLimiter,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
    to_thread,
    to_thread::Limit,
};

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
