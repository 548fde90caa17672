//! Destructors that panic, start tasks, or drop what polls them.

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use terzetto::{
    CancelScope, ContextVar, Nursery, TaskStatus, checkpoint, current_effective_deadline,
    lowlevel::current_statistics, nursery, sleep_forever,
};
use terzetto_tests::{OnDrop, begin, run_mock, within};

type Block<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

#[test]
fn a_destructor_that_panics_does_not_keep_the_other_children_from_being_dropped() {
    static MARK: ContextVar<Arc<()>> = ContextVar::new("mark");
    let mark = Arc::new(());
    let owned = Rc::new(());
    let dropped = Rc::new(Cell::new(false));
    let result = catch_unwind(AssertUnwindSafe(|| {
        run_mock(async {
            let living = current_statistics().tasks_living;
            let (held, seen) = (owned.clone(), dropped.clone());
            let mut block: Block<'_> = Box::pin(async {
                let _ = nursery(async |n| {
                    n.start_soon(async {
                        let _bomb = OnDrop(|| panic!("a destructor"));
                        Ok(sleep_forever().await?)
                    });
                    MARK.set(mark.clone());
                    n.start_soon(async move {
                        let _held = held;
                        let _seen = OnDrop(|| seen.set(true));
                        Ok(sleep_forever().await?)
                    });
                    MARK.unset();
                    Ok(sleep_forever().await?)
                })
                .await;
            });
            for _ in 0..3 {
                begin(&mut block).await;
                checkpoint().await?;
            }
            catch_unwind(AssertUnwindSafe(|| drop(block))).unwrap_err();
            Ok(current_statistics().tasks_living - living)
        })
    }));
    let left = result.unwrap().unwrap();
    let memory_freed = Arc::strong_count(&mark) == 1;
    // The node's header is freed together with the memory of its pinned future.
    assert!(
        dropped.get() || !memory_freed,
        "the memory of a pinned future was freed, and its destructor has not run"
    );
    assert!(dropped.get(), "the second child was not dropped; its memory is freed: {memory_freed}");
    assert_eq!((left, Rc::strong_count(&owned)), (0, 1));
}

#[test]
fn a_destructor_that_starts_a_task_in_its_own_dropped_nursery_leaves_nothing() {
    run_mock(async {
        let owned = Rc::new(());
        let held = owned.clone();
        let mut block: Block<'_> = Box::pin(async move {
            let _ = nursery(async |n| {
                n.start_soon(async {
                    let _cleanup = OnDrop(|| n.start_soon(async { Ok(()) }));
                    Ok(sleep_forever().await?)
                });
                n.start_soon(async move {
                    let _held = held;
                    Ok(sleep_forever().await?)
                });
                Ok(sleep_forever().await?)
            })
            .await;
        });
        for _ in 0..3 {
            begin(&mut block).await;
            checkpoint().await?;
        }
        let _panic = catch_unwind(AssertUnwindSafe(|| drop(block)));
        assert_eq!(Rc::strong_count(&owned), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_task_started_by_a_destructor_in_a_nursery_outside_is_not_lost() {
    within(Duration::from_secs(5), || {
        run_mock(async {
            let ended = Cell::new(false);
            let ended = &ended;
            nursery(async |outer: &Nursery<'_, '_>| {
                let mut block: Block<'_> = Box::pin(async {
                    let _ = nursery(async |inner| {
                        inner.start_soon(async {
                            let _cleanup = OnDrop(|| {
                                outer.start_soon(async {
                                    checkpoint().await?;
                                    checkpoint().await?;
                                    ended.set(true);
                                    Ok(())
                                })
                            });
                            inner.start(async |_status: TaskStatus<()>| Ok(sleep_forever().await?)).await
                        });
                        Ok(sleep_forever().await?)
                    })
                    .await;
                });
                for _ in 0..4 {
                    begin(&mut block).await;
                    checkpoint().await?;
                }
                drop(block);
                Ok(())
            })
            .await?;
            assert!(ended.get());
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn a_child_that_panics_when_its_start_is_dropped_does_not_hang_the_nursery() {
    within(Duration::from_secs(5), || {
        let result = catch_unwind(|| {
            run_mock(async {
                nursery(async |n| {
                    let start = n.start(async |_status: TaskStatus<()>| {
                        let _bomb = OnDrop(|| panic!("a destructor"));
                        Ok(sleep_forever().await?)
                    });
                    let mut start: Pin<Box<dyn Future<Output = _>>> = Box::pin(start);
                    begin(&mut start).await;
                    checkpoint().await?;
                    // Whatever the order of a batch, the child has begun by now.
                    checkpoint().await?;
                    drop(start);
                    Ok(())
                })
                .await
            })
        });
        assert!(result.is_err(), "the panic comes out");
    });
}

#[test]
fn a_child_that_drops_its_own_start_is_in_a_scope_that_exists() {
    within(Duration::from_secs(5), || {
        run_mock(async {
            let asked = Rc::new(Cell::new(false));
            let seen = asked.clone();
            nursery(async |n| {
                let slot: Rc<RefCell<Option<Block<'_>>>> = Rc::default();
                let (own, seen) = (slot.clone(), seen.clone());
                let mut start: Block<'_> = Box::pin(async move {
                    let child = async move |_status: TaskStatus<()>| {
                        checkpoint().await?;
                        checkpoint().await?;
                        let start = own.borrow_mut().take();
                        assert!(start.is_some());
                        drop(start);
                        let scope = CancelScope::new();
                        scope
                            .run(async {
                                current_effective_deadline();
                                seen.set(true);
                                Ok(())
                            })
                            .await?;
                        Ok(())
                    };
                    let _ = n.start(child).await;
                });
                begin(&mut start).await;
                *slot.borrow_mut() = Some(start);
                Ok(())
            })
            .await?;
            assert!(asked.get());
            Ok(())
        })
        .unwrap();
    });
}
