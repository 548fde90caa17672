//! CTX-03 for calls from a thread: they have a copy of the thread's context.

use std::{
    sync::{Arc, mpsc},
    thread,
};
use terzetto::{
    ContextVar, Error, checkpoint, from_thread, lowlevel::Token, nursery, sleep,
    testing::wait_all_tasks_blocked, to_thread,
};

static VALUE: ContextVar<&str> = ContextVar::new("value");

/// What two calls saw, the values that they set, and what the thread had afterwards.
type Seen = (Option<&'static str>, Option<&'static str>, Option<&'static str>);

fn calls_from_a_thread() -> Result<Seen, Error> {
    VALUE.set("thread");
    let by_run = from_thread::run(async || {
        let seen = VALUE.get();
        VALUE.set("call");
        checkpoint().await?;
        assert_eq!(VALUE.get(), Some("call"));
        Ok(seen)
    })?;
    let by_run_sync = from_thread::run_sync(|| VALUE.set("call"))?;
    Ok((by_run, by_run_sync, VALUE.get()))
}

#[test]
fn ctx_03_thread_07_a_call_has_the_threads_context_and_leaks_nothing() {
    terzetto::run(async {
        VALUE.set("host");
        for abandons in [false, true] {
            let options = to_thread::options().abandon_on_cancel(abandons);
            let seen = options.run_sync(calls_from_a_thread).await??;
            assert_eq!(seen, (Some("thread"), Some("thread"), Some("thread")));
            assert_eq!(VALUE.get(), Some("host"));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn ctx_03_thread_10_a_call_by_a_token_has_the_foreign_threads_context() {
    terzetto::run(async {
        VALUE.set("host");
        let (token, (told, hears)) = (Token::current(), mpsc::channel());
        let foreign = thread::spawn(move || {
            VALUE.set("foreign");
            let by_run = token.run(async || Ok(VALUE.set("call")));
            let _heard = told.send((by_run, token.run_sync(|| VALUE.set("call")), VALUE.get()));
        });
        let (by_run, by_run_sync, after) = to_thread::run_sync(move || hears.recv()).await??;
        assert_eq!((by_run?, by_run_sync?, after), (Some("foreign"), Some("foreign"), Some("foreign")));
        foreign.join().unwrap();
        assert_eq!(VALUE.get(), Some("host"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn ctx_03_while_a_call_waits_its_host_has_its_own_context() {
    terzetto::run(async {
        VALUE.set("host");
        let job = to_thread::run_sync(|| {
            VALUE.set("thread");
            from_thread::run(async || {
                sleep(0.02).await?;
                Ok(VALUE.get())
            })
        });
        // Both are in one task, and take turns.
        let beside = async {
            for _ in 0..10 {
                assert_eq!(VALUE.get(), Some("host"));
                sleep(0.003).await?;
            }
            Ok::<_, Error>(())
        };
        let (seen, beside) = futures_util::join!(job, beside);
        assert_eq!(seen??, Some("thread"));
        beside
    })
    .unwrap();
}

#[test]
fn ctx_01_what_a_call_starts_has_the_calls_context() {
    terzetto::run(async {
        VALUE.set("host");
        let calls = || {
            VALUE.set("thread");
            from_thread::run(async || {
                nursery(async |n| {
                    n.start_soon(async {
                        assert_eq!(VALUE.set("child"), Some("thread"));
                        checkpoint().await?;
                        assert_eq!(VALUE.get(), Some("child"));
                        Ok(())
                    });
                    wait_all_tasks_blocked(0.0).await?;
                    assert_eq!(VALUE.set("call"), Some("thread"));
                    Ok(())
                })
                .await?;
                // A call within the call.
                to_thread::run_sync(|| from_thread::run_sync(|| VALUE.set("inner"))).await?
            })
        };
        assert_eq!(to_thread::run_sync(calls).await??, Some("call"));
        assert_eq!(VALUE.get(), Some("host"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn ctx_03_the_hosts_context_is_back_after_a_call_that_panics_or_is_dropped() {
    terzetto::run(async {
        VALUE.set("host");
        let panics = || {
            VALUE.set("thread");
            let call = || from_thread::run(async || -> Result<(), Error> { panic!("in a call") });
            std::panic::catch_unwind(call).is_err()
        };
        assert!(to_thread::run_sync(panics).await?);
        assert_eq!(VALUE.get(), Some("host"));
        let (told, hears) = mpsc::channel();
        let mut job = Box::pin(to_thread::run_sync(move || {
            VALUE.set("thread");
            from_thread::run(async move || {
                let _heard = told.send(VALUE.get());
                Ok(terzetto::sleep_forever().await?)
            })
        }));
        let seen = loop {
            assert!(futures_util::poll!(&mut job).is_pending());
            match hears.try_recv() {
                Ok(seen) => break seen,
                Err(_) => sleep(0.001).await?,
            }
        };
        assert_eq!((seen, VALUE.get()), (Some("thread"), Some("host")));
        drop(job);
        assert_eq!(VALUE.get(), Some("host"));
        Ok(to_thread::wait_all_threads_completed().await?)
    })
    .unwrap();
}

#[test]
fn ctx_03_what_a_call_has_set_is_dropped_before_the_thread_goes_on() {
    static HELD: ContextVar<Arc<()>> = ContextVar::new("held");
    terzetto::run(async {
        let counts = to_thread::run_sync(|| {
            let held = Arc::new(());
            let inside = held.clone();
            let count = from_thread::run_sync(move || {
                HELD.set(inside.clone());
                Arc::strong_count(&inside)
            })?;
            Ok::<_, Error>((count, Arc::strong_count(&held)))
        });
        assert_eq!(counts.await??, (3, 1));
        Ok(())
    })
    .unwrap();
}
