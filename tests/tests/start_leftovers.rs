//! What is left of tasks started by `start` when they are gone: nothing.

use std::{cell::RefCell, pin::Pin, rc::Rc};
use terzetto::{Error, Task, TaskStatus, checkpoint, current_task, nursery, sleep_forever};
use terzetto_tests::{begin, run_mock, sanitized};

type Block<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Bytes of memory that the process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// How many descriptors it has open.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/task/self/fd")
        .or_else(|_| std::fs::read_dir("/proc/self/fd"))
        .unwrap()
        .count()
}

#[test]
fn nurseries_dropped_with_a_started_child_leave_no_scope() {
    run_mock(async {
        let round = async || {
            let mut block: Block<'_> = Box::pin(async {
                let _ = nursery(async |n| {
                    n.start(async |status: TaskStatus<()>| {
                        status.started(())?;
                        Ok(sleep_forever().await?)
                    })
                    .await?;
                    Ok(sleep_forever().await?)
                })
                .await;
            });
            for _ in 0..4 {
                begin(&mut block).await;
                checkpoint().await?;
            }
            Ok::<_, Error>(())
        };
        for _ in 0..5_000 {
            round().await?;
        }
        let before = resident();
        for _ in 0..50_000 {
            round().await?;
        }
        let grown = resident().saturating_sub(before);
        // A sanitizer keeps what was freed for a while.
        assert!(sanitized() || grown < 2_000_000, "{} bytes a nursery stay", grown / 50_000);
        Ok(())
    })
    .unwrap();
}

#[test]
fn run_09_a_handle_of_a_started_task_does_not_keep_the_run() {
    // Two a run: the kernel's table of events, and the bell.
    let mut handles: Vec<Task> = Vec::new();
    let before = descriptors();
    for started in [false, true] {
        for _ in 0..20 {
            let handle = run_mock(async {
                let handle = Rc::new(RefCell::new(None));
                let own = handle.clone();
                nursery(async |n| {
                    if started {
                        n.start(async move |status: TaskStatus<()>| {
                            *own.borrow_mut() = Some(current_task());
                            Ok(status.started(())?)
                        })
                        .await?;
                    } else {
                        n.start_soon(async move {
                            *own.borrow_mut() = Some(current_task());
                            Ok(())
                        });
                    }
                    Ok(())
                })
                .await?;
                Ok(handle.take().unwrap())
            })
            .unwrap();
            handles.push(handle);
        }
        let left = descriptors().saturating_sub(before);
        assert!(left < 20, "started: {started}: {left} descriptors are left of 20 runs");
    }
}
