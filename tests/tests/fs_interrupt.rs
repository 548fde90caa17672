//! FILE-02: closing a file when Ctrl-C is pressed. Signals are those of the whole program, so this test
//! has one of its own.

use signal_hook::{consts::SIGINT, low_level};
use std::{
    cell::Cell,
    io::Write,
    os::fd::OwnedFd,
    thread,
    time::{Duration, Instant},
};
use terzetto::{
    fs::{File, FileError},
    nursery,
    testing::wait_all_tasks_blocked,
};

#[test]
fn file_02_closing_closes_also_when_interrupted() {
    let outcome = terzetto::run(async {
        // A pipe stands for a slow file.
        let (reader, mut writer) = std::io::pipe()?;
        let file = File::from_std(OwnedFd::from(reader).into(), "slow");
        let (has_read, start) = (Cell::new(false), Instant::now());
        let outcome = nursery(async |n| {
            n.start_soon(async {
                assert_eq!(file.read(&mut [0]).await?, 1, "what a thread has begun is finished");
                has_read.set(true);
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            let pressed = thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                low_level::raise(SIGINT).unwrap();
                thread::sleep(Duration::from_millis(500));
                writer.write_all(b"x").unwrap();
                writer
            });
            let interrupted = file.close().await;
            assert!(!has_read.get() && start.elapsed() < Duration::from_millis(400), "at once");
            assert!(matches!(file.read(&mut [0]).await, Err(FileError::Closed { .. })));
            // Once the reader is done, nobody has the file.
            let mut writer = terzetto::to_thread::run_sync(|| pressed.join().unwrap()).await?;
            while writer.write_all(b"x").is_ok() {
                terzetto::sleep(0.01).await?;
            }
            Ok(interrupted?)
        });
        let outcome = outcome.await;
        assert!(has_read.get());
        outcome
    });
    assert!(outcome.unwrap_err().is_interrupted());
}
