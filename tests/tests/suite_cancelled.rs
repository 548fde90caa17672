//! trio's `test_cancelled`: a cancellation says what asked for it, for what reason, and which task.

use terzetto::{
    CancelReason, CancelScope, CancelSource, Cancelled, Error, TaskStatus, checkpoint, current_task, nursery,
    sleep_forever, sync::Event, testing::wait_all_tasks_blocked,
};
use terzetto_tests::{in_a_child, run_mock};

fn is(reason: &CancelReason, source: CancelSource, text: Option<&str>, task: Option<&str>) {
    assert_eq!((reason.source(), reason.text(), reason.task()), (source, text, task));
}

#[test]
fn trio_cancelled_cancel_reason() {
    run_mock(async {
        let scope = CancelScope::new();
        let inside = async {
            scope.cancel_with_reason("hello");
            let cancelled = checkpoint().await.unwrap_err();
            is(cancelled.reason(), CancelSource::Explicit, Some("hello"), Some("main"));
            assert_eq!(cancelled.to_string(), "cancelled on request, by task main: hello");
            Ok(())
        };
        scope.run(inside).await?;
        let early = CancelScope::with_deadline(f64::NEG_INFINITY);
        let inside = async { Ok(checkpoint().await.unwrap_err()) };
        let cancelled = early.run(inside).await?.unwrap();
        is(cancelled.reason(), CancelSource::Deadline, None, None);
        let scope = CancelScope::new();
        let inside = async {
            scope.set_deadline(f64::NEG_INFINITY);
            Ok(checkpoint().await.unwrap_err())
        };
        let cancelled = scope.run(inside).await?.unwrap();
        assert_eq!(cancelled.to_string(), "cancelled by a deadline");
        Ok(())
    })
    .unwrap();
}

fn is_of_the_nursery(cancelled: &Cancelled, task: &str) {
    let text = cancelled.reason().text().unwrap();
    assert!(text.starts_with(&format!("task {task} (")) && text.ends_with(") failed: value"), "{text}");
    is(cancelled.reason(), CancelSource::Nursery, Some(text), Some(task));
    assert_eq!(cancelled.to_string(), format!("cancelled by its nursery: {text}"));
}

/// Is started, cancelled since another task has failed, and fails by itself.
async fn cancelled_task(status: TaskStatus<()>) -> Result<(), Error> {
    status.started(())?;
    is_of_the_nursery(&sleep_forever().await.unwrap_err(), "failing");
    Err(Error::msg("type"))
}

fn are_value_and_type(error: Error) {
    let group = error.into_group().unwrap();
    let mut texts: Vec<String> = group.leaves().map(ToString::to_string).collect();
    texts.sort();
    assert_eq!(texts, ["type", "value"]);
}

#[test]
fn trio_cancelled_cancel_reason_nursery() {
    // The task fails before the other is started.
    let error = run_mock(nursery(async |n| {
        n.start_named("failing", async |status| {
            status.started(())?;
            Err(Error::msg("value"))
        })
        .await?;
        is_of_the_nursery(&wait_all_tasks_blocked(0.0).await.unwrap_err(), "failing");
        n.start(cancelled_task).await
    }));
    are_value_and_type(error.unwrap_err());
}

#[test]
fn trio_cancelled_cancel_reason_nursery2() {
    // It fails when both run.
    let error = run_mock(nursery(async |n| {
        n.start_named("failing", async |status| {
            status.started(())?;
            wait_all_tasks_blocked(0.0).await?;
            Err(Error::msg("value"))
        })
        .await?;
        n.start(cancelled_task).await
    }));
    are_value_and_type(error.unwrap_err());
}

/// Of the block of a nursery, which stands in the main task.
fn is_of_the_body(cancelled: &Cancelled) {
    let text = "the nursery's body failed: value";
    is(cancelled.reason(), CancelSource::Nursery, Some(text), Some("main"));
}

#[test]
fn trio_cancelled_cancel_reason_nursery3() {
    // A task that fails before it is started fails the block that has started it.
    let error = run_mock(nursery(async |n| {
        n.start_soon(async {
            let cancelled = sleep_forever().await.unwrap_err();
            is_of_the_body(&cancelled);
            Err(cancelled.into())
        });
        wait_all_tasks_blocked(0.0).await?;
        n.start(async |_: TaskStatus<()>| Err(Error::msg("value"))).await
    }));
    let single = error.unwrap_err().into_group().unwrap().into_single().unwrap();
    assert_eq!(single.to_string(), "value");
}

#[test]
fn trio_cancelled_cancel_reason_not_overwritten() {
    run_mock(async {
        let scope = CancelScope::new();
        let inside = async {
            scope.cancel();
            is(checkpoint().await.unwrap_err().reason(), CancelSource::Explicit, None, Some("main"));
            scope.set_deadline(f64::NEG_INFINITY);
            is(checkpoint().await.unwrap_err().reason(), CancelSource::Explicit, None, Some("main"));
            Ok(())
        };
        scope.run(inside).await.map(drop)
    })
    .unwrap();
}

#[test]
fn trio_cancelled_cancel_reason_not_overwritten_2() {
    run_mock(async {
        let scope = CancelScope::new();
        let inside = async {
            scope.set_deadline(f64::NEG_INFINITY);
            is(checkpoint().await.unwrap_err().reason(), CancelSource::Deadline, None, None);
            scope.cancel();
            is(checkpoint().await.unwrap_err().reason(), CancelSource::Deadline, None, None);
            Ok(())
        };
        scope.run(inside).await.map(drop)
    })
    .unwrap();
}

#[test]
fn trio_cancelled_nested_child_source() {
    let error = run_mock(nursery(async |n| {
        let begun = Event::new();
        let child = begun.clone();
        n.start_soon(async move {
            child.set();
            let cancelled = sleep_forever().await.unwrap_err();
            is_of_the_body(&cancelled);
            Err(cancelled.into())
        });
        begun.wait().await?;
        Err::<(), _>(Error::msg("value"))
    }));
    assert_eq!(error.unwrap_err().group().unwrap().errors().len(), 1);
}

#[test]
fn trio_cancelled_reason_delayed_ki() {
    if !in_a_child("trio_cancelled_reason_delayed_ki") {
        return;
    }
    let error = terzetto::run(nursery(async |n| {
        assert_eq!(current_task().name(), "main");
        for _ in 0..2 {
            n.start_soon(async {
                let cancelled = loop {
                    if let Err(cancelled) = checkpoint().await {
                        break cancelled;
                    }
                };
                is(cancelled.reason(), CancelSource::CtrlC, None, Some("main"));
                assert!(!cancelled.is_interrupt(), "it is not the Ctrl-C itself");
                assert_eq!(cancelled.to_string(), "cancelled because of Ctrl-C, by task main");
                Err(cancelled.into())
            });
        }
        n.start_soon(async { Ok(signal_hook::low_level::raise(signal_hook::consts::SIGINT)?) });
        Ok(())
    }))
    .unwrap_err();
    assert!(error.is_interrupted() && error.group().unwrap().errors().len() == 1);
}

#[test]
fn the_task_that_panicked_is_named_as_well() {
    let panicked = std::panic::catch_unwind(|| {
        run_mock(nursery(async |n| {
            n.start_soon_named("careless", async { panic!("oh") });
            let cancelled = sleep_forever().await.unwrap_err();
            let reason = cancelled.reason();
            assert!(reason.text().is_some_and(|text| text.ends_with("panicked: oh")), "{reason}");
            is(reason, CancelSource::Nursery, reason.text(), Some("careless"));
            Err::<(), _>(cancelled.into())
        }))
    });
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"oh"));
}
