//! What tasks are called, who an error or a panic came from, the tree of many tasks, and arrivals at a closed nursery.

use log::{LevelFilter, Log, Metadata, Record};
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Mutex, OnceLock},
};
use terzetto::{
    CancelScope, Error, ErrorGroup, Nursery, NurseryClosed, TaskStatus, checkpoint, current_task, fail_after,
    lowlevel::cancel_shielded_checkpoint, nursery, sleep, sleep_forever, task_tree,
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::run_mock;

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

async fn named_by_its_function() -> Result<String, Error> {
    checkpoint().await?;
    Ok(current_task().name().to_owned())
}

struct Worker<T>(T);

trait Works {
    fn works(self) -> impl Future<Output = Result<(), Error>>;
}

impl<T: Clone> Works for Worker<Vec<Option<T>>> {
    async fn works(self) -> Result<(), Error> {
        let _kept = self.0;
        assert!(current_task().name().ends_with("works"), "{}", current_task().name());
        Ok(())
    }
}

#[test]
fn nur_tasks_without_a_name_are_called_by_function_and_line() {
    run_mock(async {
        let names = &RefCell::new(Vec::new());
        nursery(async |n| {
            n.start_soon(async {
                names.borrow_mut().push(current_task().to_string());
                Ok(())
            });
            let line = line!() - 4;
            wait_all_tasks_blocked(0.0).await?;
            let function = "tasks::nur_tasks_without_a_name_are_called_by_function_and_line";
            assert_eq!(names.take(), [format!("{function} ({}:{line})", file!())]);
            n.start_soon(async move {
                // In a block the name is still that of the function around it.
                let name = async { named_by_its_function().await }.await?;
                assert_eq!(name, function);
                Ok(())
            });
            n.start_soon(Worker(vec![Some(1)]).works());
            n.start_soon(Box::pin(async {
                assert_eq!(current_task().name(), "boxed future");
                Ok(())
            }) as Boxed<'_>);
            n.start(async move |status: TaskStatus<()>| {
                assert_eq!(current_task().name(), function);
                Ok(status.started(())?)
            })
            .await
        })
        .await?;
        deep::er::and::deeper::still::to::a::path::that::nobody::reads::to::its::end::function().await
    })
    .unwrap();
}

mod deep {
    pub mod er {
        pub mod and {
            pub mod deeper {
                pub mod still {
                    pub mod to {
                        pub mod a {
                            pub mod path {
                                pub mod that {
                                    pub mod nobody {
                                        pub mod reads {
                                            pub mod to {
                                                pub mod its {
                                                    pub mod end {
                                                        use terzetto::{Error, current_task, nursery};

                                                        pub async fn function() -> Result<(), Error> {
                                                            nursery(async |n| {
                                                                n.start_soon(async {
                                                                    let task = current_task();
                                                                    assert!(
                                                                        task.name().len() <= 80,
                                                                        "{task}"
                                                                    );
                                                                    assert!(
                                                                        task.name()
                                                                            .ends_with("end::function")
                                                                    );
                                                                    assert!(!task.name().starts_with(':'));
                                                                    Ok(())
                                                                });
                                                                Ok(())
                                                            })
                                                            .await
                                                        }
                                                    }
                                                }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("disk full")]
struct Full(#[source] std::io::Error);

fn full() -> Error {
    Full(std::io::Error::other("28 bytes left")).into()
}

#[test]
fn nur_an_error_says_which_task_it_came_from_and_keeps_its_type() {
    let at = Cell::new((0, 0));
    let error = run_mock(nursery(async |n| {
        let at = &at;
        n.start_soon_named("outer", async move {
            nursery(async |n| {
                n.start_soon_named("inner", async { Err(full()) });
                at.set((at.get().0, line!() - 1));
                Ok(())
            })
            .await
        });
        at.set((line!() - 8, 0));
        Ok(())
    }))
    .unwrap_err();
    let (outer, inner) = at.get();
    let place = |line: u32| format!("{}:{line}", file!());
    let line = format!("task outer ({}): task inner ({}): disk full", place(outer), place(inner));
    assert_eq!(error.to_string(), line);
    // What `main` prints: the line, and the causes.
    assert_eq!(format!("{error:?}"), format!("{line}\ncaused by: 28 bytes left"));
    let group = error.group().unwrap();
    let origin = group.origin(0).unwrap();
    assert_eq!((origin.name(), origin.spawned_at().unwrap().line()), ("outer", outer));
    assert!(error.find::<Full>().is_some());
    let single = error.into_group().ok().unwrap().into_single().ok().unwrap();
    assert!(single.downcast::<Full>().is_ok());
}

#[test]
fn nur_several_errors_are_a_tree_in_which_each_is_told_once() {
    let error = run_mock(nursery(async |n| {
        // One tick apart, so that a seed does not change the order.
        for (name, late) in [("a", false), ("b", true)] {
            n.start_soon_named(name, async move {
                if late {
                    cancel_shielded_checkpoint().await;
                }
                Err(Full(std::io::Error::other(format!("of {name}"))).into())
            });
        }
        n.start_soon_named("c", async { Ok(sleep_forever().await?) });
        Err::<(), _>(Error::msg("two\nlines"))
    }))
    .unwrap_err();
    let line =
        error.group().unwrap().errors().iter().position(|error| error.downcast_ref::<Full>().is_some());
    let at = error.group().unwrap().origin(line.unwrap()).unwrap().spawned_at().unwrap();
    let at = format!("{}:{}", at.file(), at.line());
    let tree = format!(
        "a nursery's tasks failed (3 errors)\n  - two\n    lines\n  - task a ({at}): disk full\n  - task b ({at}): disk full"
    );
    assert_eq!(error.to_string(), tree);
    let with_causes = format!(
        "a nursery's tasks failed (3 errors)\n  - two\n    lines\n  - task a ({at}): disk full\n    caused by: of a\n  \
         - task b ({at}): disk full\n    caused by: of b"
    );
    assert_eq!(format!("{error:?}"), with_causes);
    // Divided, each half knows still where its errors came from.
    let (b, rest) =
        error.into_group().ok().unwrap().split(|error| error.chain().any(|c| c.to_string() == "of b"));
    assert_eq!(b.unwrap().to_string(), format!("task b ({at}): disk full"));
    let rest = rest.unwrap();
    assert_eq!(rest.origin(1).unwrap().name(), "a");
    assert!(rest.origin(0).is_none() && rest.origin(2).is_none());
    let own = ErrorGroup::new("the backup failed", vec![full()]);
    assert_eq!(own.to_string(), "the backup failed: disk full");
}

/// What was logged by threads that want to know.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &Record<'_>) {
        self.0.lock().unwrap().push(record.args().to_string());
    }
    fn flush(&self) {}
}

#[test]
fn nur_18_a_panic_keeps_its_payload_and_its_task_is_in_the_log_and_in_the_reason() {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    log::set_logger(KEPT.get_or_init(Kept::default)).unwrap();
    log::set_max_level(LevelFilter::Error);
    let (reason, line) = (Cell::new(None), Cell::new(0));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        run_mock(nursery(async |n| {
            let (reason, line) = (&reason, &line);
            n.start_soon_named("witness", async move {
                let cancelled = sleep_forever().await.unwrap_err();
                reason.set(cancelled.reason().text().map(str::to_owned));
                Ok(())
            });
            checkpoint().await?;
            line.set(line!() + 1);
            n.start_soon_named("culprit", async { std::panic::panic_any("out of tea") });
            Ok(())
        }))
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"out of tea"));
    let text = format!("task culprit ({}:{}) panicked: out of tea", file!(), line.get());
    assert_eq!(reason.take().as_deref(), Some(&*text));
    assert!(KEPT.get().unwrap().0.lock().unwrap().contains(&text));
}

#[test]
fn run_06_equal_tasks_are_one_line_of_the_tree() {
    run_mock(async {
        nursery(async |n| {
            for i in 0..100 {
                n.start_soon_named("reader", async { Ok(sleep_forever().await?) });
                if i < 50 {
                    n.start_soon_named("connection", async move {
                        sleep(0.001 * f64::from(i)).await?;
                        fail_after(
                            10.0,
                            nursery(async |n| {
                                for _ in 0..2 {
                                    n.start_soon_named("half", async { Ok(sleep_forever().await?) });
                                }
                                Ok(sleep_forever().await?)
                            }),
                        )
                        .await
                    });
                }
            }
            n.start_soon_named("reader", async {
                CancelScope::new().shielded(true).run(sleep_other()).await.map(drop)
            });
            sleep(1.0).await?;
            let tree = task_tree();
            let count = |what: &str| tree.lines().filter(|line| line.contains(what)).count();
            assert_eq!(tree.lines().filter(|line| line.contains("reader")).count(), 2, "{tree}");
            assert!(tree.lines().any(|line| line.contains("reader") && line.ends_with(" ×100")), "{tree}");
            assert_eq!(count("connection"), 1, "{tree}");
            assert!(tree.lines().any(|line| line.contains("connection") && line.ends_with(" ×50")), "{tree}");
            assert!(tree.lines().any(|line| line.contains("half") && line.ends_with(" ×2")), "{tree}");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

async fn sleep_other() -> Result<(), Error> {
    sleep(2.0).await?;
    Ok(())
}

/// Starts a task when it is dropped, if it can, and notes what came of it.
struct AtTheEnd<'scope, 'env>(&'scope Nursery<'scope, 'env>, &'env Cell<Option<Result<(), NurseryClosed>>>);

impl Drop for AtTheEnd<'_, '_> {
    fn drop(&mut self) {
        self.1.set(Some(self.0.try_start_soon(async { Ok(checkpoint().await?) })));
    }
}

#[test]
fn nur_11_a_destructor_that_starts_a_task_hears_whether_the_nursery_is_closed() {
    run_mock(async {
        let outcome = Cell::new(None);
        let outcome = &outcome;
        // It is open: the task is started, and waited for.
        nursery(async |n| {
            drop(AtTheEnd(n, outcome));
            assert!(!n.is_closed() && n.child_count() == 1);
            Ok(())
        })
        .await?;
        assert_eq!(outcome.take(), Some(Ok(())));
        // The nursery is dropped, and with it the body.
        let dropped = nursery(async |n| {
            let _guest = AtTheEnd(n, outcome);
            Ok(sleep_forever().await?)
        });
        let mut dropped = Box::pin(dropped);
        terzetto_tests::begin(&mut dropped).await;
        drop(dropped);
        assert_eq!(outcome.take(), Some(Err(NurseryClosed)));
        Ok(())
    })
    .unwrap();
}
