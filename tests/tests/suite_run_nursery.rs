//! trio's `test_run`, third part: nurseries and `start`.

use std::{cell::Cell, error::Error as _, fmt, time::Duration};
use terzetto::{
    CancelScope, Error, ErrorGroup, TaskStatus, checkpoint, current_task, current_time,
    lowlevel::cancel_shielded_checkpoint, nursery, sleep, sleep_forever, testing::wait_all_tasks_blocked,
};
use terzetto_tests::run_mock;

fn leaves(error: &Error) -> Vec<String> {
    let mut texts: Vec<String> = error.group().unwrap().leaves().map(ToString::to_string).collect();
    texts.sort();
    texts
}

#[test]
fn trio_run_nursery_main_block_error_basic() {
    // The very error comes out, alone in its group.
    #[derive(Debug)]
    struct Own(u32);
    impl fmt::Display for Own {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "whoops {}", self.0)
        }
    }
    impl std::error::Error for Own {}
    for from_child in [false, true] {
        let error = run_mock(nursery(async |n| {
            if from_child {
                n.start_soon(async { Err(Own(3).into()) });
                return Ok(());
            }
            Err(Own(3).into())
        }))
        .unwrap_err();
        assert_eq!(error.group().unwrap().errors().len(), 1);
        assert_eq!(error.group().unwrap().errors()[0].downcast_ref::<Own>().unwrap().0, 3);
    }
}

#[test]
fn trio_run_main_and_task_both_crash() {
    let error = run_mock(nursery(async |n| {
        n.start_soon(async { Err(Error::msg("value")) });
        Err::<(), _>(Error::msg("key"))
    }));
    assert_eq!(leaves(&error.unwrap_err()), ["key", "value"]);
}

#[test]
fn trio_run_two_child_crashes() {
    let error = run_mock(nursery(async |n| {
        n.start_soon(async { Err(Error::msg("value")) });
        n.start_soon(async { Err(Error::msg("key")) });
        Ok(())
    }));
    assert_eq!(leaves(&error.unwrap_err()), ["key", "value"]);
}

#[test]
fn trio_run_task_crash_propagation() {
    let cancelled = Cell::new(0);
    let error = run_mock(nursery(async |n| {
        n.start_soon(async {
            loop {
                if let Err(error) = checkpoint().await {
                    cancelled.set(cancelled.get() + 1);
                    return Err(error.into());
                }
            }
        });
        n.start_soon(async { Err(Error::msg("argh")) });
        Ok(())
    }));
    assert_eq!((leaves(&error.unwrap_err()), cancelled.get()), (vec!["argh".to_owned()], 1));
}

#[test]
fn trio_run_task_nursery_stack() {
    run_mock(async {
        let task = current_task();
        let open = || task.child_nurseries().len();
        assert_eq!(open(), 0);
        nursery(async |_| {
            assert_eq!(open(), 1);
            let failed = nursery(async |_| {
                assert_eq!(open(), 2);
                Err::<(), _>(Error::msg("key"))
            });
            assert_eq!(leaves(&failed.await.unwrap_err()), ["key"]);
            assert_eq!(open(), 1);
            Ok(())
        })
        .await?;
        assert_eq!(open(), 0);
        Ok(())
    })
    .unwrap();
}

/// Is started after so many seconds, and ends after as many more.
async fn sleep_then_start(seconds: f64, status: TaskStatus<f64>) -> Result<(), Error> {
    sleep(seconds).await?;
    status.started(seconds)?;
    Ok(sleep(seconds).await?)
}

#[test]
fn trio_run_nursery_start() {
    run_mock(async {
        for seconds in [1.0, 2.0] {
            let begun = current_time();
            nursery(async |n| {
                assert_eq!(n.child_count(), 0);
                assert_eq!(
                    n.start(async move |status| sleep_then_start(seconds, status).await).await?,
                    seconds
                );
                assert_eq!((current_time() - begun, n.child_count()), (seconds, 1));
                Ok(())
            })
            .await?;
            assert_eq!(current_time() - begun, 2.0 * seconds);
        }
        // Called directly.
        let begun = current_time();
        sleep_then_start(3.0, TaskStatus::ignored()).await?;
        assert_eq!(current_time() - begun, 6.0);
        // A cancelled caller: `started` does nothing, and what the task fails with afterwards comes out of `start`.
        nursery(async |n| {
            let scope = CancelScope::new();
            scope.cancel();
            let inside = async {
                let started = n.start(async |status| {
                    status.started("hi")?;
                    Ok(checkpoint().await?)
                });
                assert!(started.await.unwrap_err().is_cancelled());
                let failed = n.start(async |status| {
                    status.started(())?;
                    Err(Error::msg("whoopsiedaisy"))
                });
                assert_eq!(failed.await.unwrap_err().to_string(), "whoopsiedaisy");
                // A task without a checkpoint has completed.
                n.start(async |status| Ok(status.started(())?)).await
            };
            assert_eq!(scope.run(inside).await?, Some(()));
            assert!(!scope.cancelled_caught() && !n.cancel_scope().cancel_called());
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_run_nursery_start_keeps_nursery_open() {
    run_mock(async {
        // Who calls `start` must be inside the nursery: the compiler refuses a call from outside, as trio's test makes
        // it.
        let begun = current_time();
        nursery(async |n| {
            for wait in [1.0, 0.0] {
                n.start_soon(async {
                    n.start(async |status| {
                        sleep(2.0).await?;
                        status.started(())?;
                        Ok(sleep(3.0).await?)
                    })
                    .await
                });
                sleep(wait).await?;
            }
            Ok(())
        })
        .await?;
        assert_eq!(current_time() - begun, 6.0);
        // Also if the task fails, and never becomes a child.
        nursery(async |_| {
            let begun = current_time();
            nursery(async |inner| {
                let mut start = Box::pin(inner.start(async |_: TaskStatus<()>| {
                    sleep(7.0).await?;
                    Err(Error::msg("key"))
                }));
                assert!(futures_util::poll!(start.as_mut()).is_pending());
                inner.start_soon(async move {
                    assert_eq!(start.await.unwrap_err().to_string(), "key");
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                Ok(())
            })
            .await?;
            assert_eq!(current_time() - begun, 7.0);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_run_nursery_collapse() {
    // The cancellations are taken out of both groups, and neither group is.
    let error = run_mock(nursery(async |n| {
        n.start_soon(async { Ok(sleep_forever().await?) });
        n.start_soon(async { Err(Error::msg("test error")) });
        nursery(async |inner| {
            inner.start_soon(async { Ok(sleep_forever().await?) });
            inner.start_soon(async { Err(Error::msg("test error")) });
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    }))
    .unwrap_err();
    let members: Vec<Option<usize>> =
        error.group().unwrap().errors().iter().map(|e| e.group().map(|group| group.errors().len())).collect();
    assert!(members.len() == 2 && members.contains(&None) && members.contains(&Some(1)), "{error}");
}

#[test]
fn trio_run_trio_run_strict_before_started() {
    // What a task fails with before it is started is not wrapped by `start`, be it a group or not; in the end it is in
    // the group of its nursery.
    for own_group in [false, true] {
        for after_started in [false, true] {
            let error = run_mock(nursery(async |n| {
                n.start(async move |status| {
                    if after_started {
                        status.started(())?;
                    }
                    match own_group {
                        true => Err(ErrorGroup::new("my group", vec![Error::msg("value")]).into()),
                        false => Err(Error::msg("value")),
                    }
                })
                .await
            }))
            .unwrap_err();
            let members = error.group().unwrap().errors();
            assert_eq!(members.len(), 1);
            match members[0].group() {
                Some(group) => assert_eq!((group.message(), group.errors().len()), ("my group", 1)),
                None => assert!(!own_group && members[0].to_string() == "value"),
            }
        }
    }
}

#[test]
fn trio_run_start_exception_preserves_cause_and_context() {
    #[derive(Debug)]
    struct Caused(std::io::Error);
    impl fmt::Display for Caused {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("foo")
        }
    }
    impl std::error::Error for Caused {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = run_mock(nursery(async |n| {
        n.start(async |_: TaskStatus<()>| Err(Caused(std::io::Error::other("bar")).into())).await
    }))
    .unwrap_err();
    let caused = error.group().unwrap().errors()[0].downcast_ref::<Caused>().unwrap();
    assert_eq!(
        (caused.to_string(), caused.source().unwrap().to_string()),
        ("foo".to_owned(), "bar".to_owned())
    );
}

#[test]
fn trio_run_very_deep_cancel_scope_nesting() {
    fn deep(
        levels: u32,
        outermost: CancelScope,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Error>>>> {
        Box::pin(async move {
            match levels {
                0 => {
                    outermost.cancel();
                    Ok(())
                }
                _ => CancelScope::new().run(deep(levels - 1, outermost)).await.map(drop),
            }
        })
    }
    terzetto_tests::within(Duration::from_secs(60), || {
        run_mock(async {
            let outermost = CancelScope::new();
            outermost.run(deep(5000, outermost.clone())).await?;
            cancel_shielded_checkpoint().await;
            Ok(())
        })
        .unwrap();
    });
}
