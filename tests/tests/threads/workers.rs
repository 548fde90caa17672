//! The workers: that there is one for each job, and what they are called, and how long they stay.

use super::Gate;
use std::{
    cell::Cell,
    rc::Rc,
    sync::{
        Arc, Barrier, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use terzetto::{
    Builder, CancelScope, Error, checkpoint, lowlevel::Instrument, nursery, sleep, sync::CapacityLimiter,
    testing::wait_all_tasks_blocked, to_thread,
};

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
        fn before_io_wait(&self, timeout: f64) {
            self.0.set(self.0.get() + usize::from(timeout > 0.0));
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

/// Where a number of threads meet: each goes on when all are there. A thread that has waited too long
/// for the others goes on alone, so that a test fails instead of hanging.
struct Meeting {
    size: usize,
    present: Mutex<usize>,
    complete: Condvar,
}

impl Meeting {
    fn of(size: usize) -> Arc<Meeting> {
        Arc::new(Meeting { size, present: Mutex::new(0), complete: Condvar::new() })
    }

    /// Whether all came.
    fn attend(&self) -> bool {
        let mut present = self.present.lock().unwrap();
        *present += 1;
        if *present == self.size {
            self.complete.notify_all();
        }
        let waited = self.complete.wait_timeout_while(present, Duration::from_secs(20), |n| *n < self.size);
        !waited.unwrap().1.timed_out()
    }
}

/// So many jobs at once, none of which ends before all have begun.
async fn meet(size: usize, limiter: &CapacityLimiter) -> Result<(), Error> {
    let meeting = Meeting::of(size);
    let attend = |_| {
        let meeting = meeting.clone();
        to_thread::options().limiter(limiter).run_sync(move || meeting.attend())
    };
    for met in futures_util::future::join_all((0..size).map(attend)).await {
        assert!(met?, "a job of {size} waited for the end of another");
    }
    Ok(())
}

#[test]
fn thread_05_no_job_waits_for_another_to_end() {
    for size in [1, 2, 3, 8, 40, 100] {
        terzetto::run(async {
            let limiter = &CapacityLimiter::new(2 * size);
            // Nobody is there yet; then all are; then some are missing.
            meet(size, limiter).await?;
            meet(size, limiter).await?;
            meet(size + size / 2, limiter).await?;
            // Half are busy, and stay so.
            let gate = &Gate::default();
            nursery(async |n| {
                for _ in 0..size {
                    let gate = gate.clone();
                    n.start_soon(async move {
                        to_thread::options().limiter(limiter).run_sync(move || gate.pass()).await
                    });
                }
                wait_all_tasks_blocked(0.0).await?;
                for _ in 0..20 {
                    meet(size, limiter).await?;
                }
                gate.open();
                Ok(())
            })
            .await
        })
        .unwrap();
    }
}

/// Short jobs come and go, and others among them wait for each other: all are begun.
#[test]
fn thread_05_no_job_waits_for_another_to_end_whatever_the_mix() {
    terzetto::run(async {
        let limiter = &CapacityLimiter::new(16);
        nursery(async |n| {
            for task in 1..=32_u64 {
                n.start_soon(async move {
                    let mut seed = task;
                    for _ in 0..200 {
                        // xorshift64 (Marsaglia 2003).
                        seed ^= seed << 13;
                        seed ^= seed >> 7;
                        seed ^= seed << 17;
                        let brief = Duration::from_micros(seed % 100);
                        match seed % 16 {
                            0 => sleep(brief.as_secs_f64()).await?,
                            1 => meet(2 + seed as usize / 16 % 4, &CapacityLimiter::new(5)).await?,
                            2..5 => to_thread::run_sync(move || thread::sleep(brief)).await?,
                            _ => to_thread::options().limiter(limiter).run_sync(|| ()).await?,
                        }
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
    .unwrap();
}

/// What a job leaves behind, if dropping it takes long.
struct Lingering(Gate, Arc<AtomicBool>);

impl Drop for Lingering {
    fn drop(&mut self) {
        self.1.store(true, SeqCst);
        self.0.pass();
    }
}

/// Starts a job and leaves it alone.
async fn start_and_abandon<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<(), Error> {
    let mut waiting = Box::pin(to_thread::run_sync(job));
    for _ in 0..3 {
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        checkpoint().await?;
    }
    Ok(())
}

#[test]
fn thread_05_no_job_waits_for_the_result_of_another_to_be_dropped() {
    terzetto::run(async {
        let (begin, end, dropping) = (Gate::default(), Gate::default(), Arc::new(AtomicBool::new(false)));
        let left = Lingering(end.clone(), dropping.clone());
        let begins = begin.clone();
        start_and_abandon(move || {
            begins.pass();
            left
        })
        .await?;
        begin.open();
        while !dropping.load(SeqCst) {
            sleep(0.001).await?;
        }
        // One thread drops; the other is another.
        let done = CancelScope::with_timeout(20.0);
        let options = to_thread::options().abandon_on_cancel(true);
        done.run(async { options.run_sync(|| ()).await }).await?;
        end.open();
        assert!(!done.cancelled_caught(), "waited for a thread that drops another job's result");
        assert_eq!(to_thread::active_thread_count(), 1);
        to_thread::wait_all_threads_completed().await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_13_a_result_that_panics_when_dropped_ends_no_worker() {
    struct Bomb(mpsc::Sender<thread::ThreadId>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            let _heard = self.0.send(thread::current().id());
            panic!("when dropped");
        }
    }
    terzetto::run(async {
        let (begin, (told, hears)) = (Gate::default(), mpsc::channel());
        let (begins, bomb) = (begin.clone(), Mutex::new(Some(told)));
        start_and_abandon(move || {
            begins.pass();
            bomb.lock().unwrap().take().map(Bomb)
        })
        .await?;
        begin.open();
        to_thread::wait_all_threads_completed().await?;
        assert_eq!(to_thread::run_sync(|| thread::current().id()).await?, hears.recv()?);
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_03_what_is_started_runs_though_the_run_ends() {
    const JOBS: usize = 16;
    const ROUNDS: usize = 20;
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..ROUNDS {
        terzetto::run(async {
            let limiter = &CapacityLimiter::new(JOBS);
            meet(JOBS, limiter).await?;
            let job = |_| {
                let ran = ran.clone();
                let options = to_thread::options().limiter(limiter);
                Box::pin(options.run_sync(move || ran.fetch_add(1, SeqCst)))
            };
            let mut jobs: Vec<_> = (0..JOBS).map(job).collect();
            for _ in 0..2 {
                checkpoint().await?;
                for job in &mut jobs {
                    assert!(futures_util::poll!(job.as_mut()).is_pending());
                }
            }
            // Most of their threads are not even awake.
            Ok(())
        })
        .unwrap();
    }
    let start = Instant::now();
    while ran.load(SeqCst) < JOBS * ROUNDS {
        assert!(start.elapsed() < Duration::from_secs(20), "{} ran", ran.load(SeqCst));
        thread::sleep(Duration::from_millis(1));
    }
}
