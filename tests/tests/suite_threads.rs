//! What trio's own tests of threads assert, where `threads` does not.

use std::sync::mpsc;
use terzetto::{
    fail_after, nursery,
    sync::Event,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
    to_thread,
};

#[test]
fn trio_threads_wait_all_threads_completed() {
    terzetto::run(fail_after(60.0, async {
        // There is none.
        assert_checkpoints(to_thread::wait_all_threads_completed()).await?;
        let (first, waits_first) = mpsc::channel::<()>();
        let (second, waits_second) = mpsc::channel::<()>();
        let (ended, none_left) = (Event::new(), Event::new());
        nursery(async |n| {
            for waits in [waits_first, waits_second] {
                let ended = ended.clone();
                n.start_soon(async move {
                    to_thread::run_sync(move || waits.recv().is_ok()).await?;
                    ended.set();
                    Ok(())
                });
            }
            let all_ended = none_left.clone();
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(to_thread::active_thread_count(), 2);
            n.start_soon(async move {
                to_thread::wait_all_threads_completed().await?;
                all_ended.set();
                Ok(())
            });
            drop(first);
            ended.wait().await?;
            wait_all_tasks_blocked(0.01).await?;
            assert!(!none_left.is_set());
            assert_eq!(to_thread::active_thread_count(), 1);
            drop(second);
            none_left.wait().await?;
            assert_eq!(to_thread::active_thread_count(), 0);
            Ok(())
        })
        .await
    }))
    .unwrap();
}
