//! FILE-02: closing, and what cancellation means. Pipes stand for files that are slow: a thread that
//! reads from an empty one stays until something is written.

use super::in_a_folder;
use std::{
    cell::Cell,
    io::{PipeReader, PipeWriter, Write, pipe},
    os::fd::OwnedFd,
    time::Duration,
};
use terzetto::{
    CancelScope, Error, checkpoint, fail_after,
    fs::{self, File, FileError},
    io::wait_readable,
    nursery,
    testing::wait_all_tasks_blocked,
    to_thread,
};

/// A file that is slow to read, and the other end.
fn slow() -> std::io::Result<(File, PipeWriter)> {
    let (reader, writer) = pipe()?;
    Ok((File::from_std(OwnedFd::from(reader).into(), "slow"), writer))
}

/// A file that is written to, and where one sees whether it is closed.
fn watched() -> std::io::Result<(File, PipeReader)> {
    let (reader, writer) = pipe()?;
    Ok((File::from_std(OwnedFd::from(writer).into(), "watched"), reader))
}

/// Waits until nobody has the writing end any more.
async fn until_closed(reader: &PipeReader) -> Result<(), Error> {
    fail_after(30.0, async { Ok(wait_readable(reader).await?) }).await
}

#[test]
fn file_02_closing_closes_also_when_cancelled() {
    terzetto::run(async {
        let (file, reader) = watched()?;
        let scope = CancelScope::new();
        scope.cancel();
        let closing = scope.run(async {
            let closed = file.close().await;
            assert!(matches!(closed, Err(FileError::Cancelled(_))));
            Ok(closed?)
        });
        assert!(closing.await?.is_none() && scope.cancelled_caught());
        until_closed(&reader).await?;
        let error = file.write_all("x").await.unwrap_err();
        assert!(matches!(error, FileError::Closed { .. }) && error.to_string().contains("watched"));
        file.close().await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn file_02_closing_waits_for_what_is_under_way() {
    terzetto::run(async {
        let (file, mut writer) = slow()?;
        let steps = Cell::new(0);
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(file.read(&mut [0; 8]).await?, 3);
                assert_eq!(steps.replace(1), 0);
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            n.start_soon(async {
                file.close().await?;
                assert_eq!(steps.replace(2), 1);
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            assert_eq!(steps.get(), 0);
            Ok(writer.write_all(b"end")?)
        })
        .await?;
        assert_eq!(steps.get(), 2);
        assert!(matches!(file.read(&mut [0]).await, Err(FileError::Closed { .. })));
        assert!(writer.write_all(b"x").is_err(), "nobody has the reading end");
        Ok(())
    })
    .unwrap();
}

#[test]
fn file_02_a_cancelled_close_does_not_hold_up_the_loop() {
    terzetto::run(async {
        let (file, mut writer) = slow()?;
        let (has_read, scope) = (Cell::new(false), CancelScope::new());
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(file.read(&mut [0]).await?, 1);
                has_read.set(true);
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            scope.cancel();
            n.start_soon(async { scope.run(async { Ok(file.close().await?) }).await.map(drop) });
            // Should the loop wait for the reader, this ends the test.
            let late = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                writer.write_all(b"x")
            });
            wait_all_tasks_blocked(0.01).await?;
            assert!(!has_read.get() && !late.is_finished());
            Ok(())
        })
        .await?;
        assert!(has_read.get() && scope.cancelled_caught());
        assert!(matches!(file.read(&mut [0]).await, Err(FileError::Closed { .. })));
        Ok(())
    })
    .unwrap();
}

#[test]
fn file_02_dropping_closes_in_a_thread_if_it_was_written_to() {
    terzetto::run(async {
        let (file, reader) = watched()?;
        file.write_all("").await?;
        drop(file);
        until_closed(&reader).await?;
        to_thread::wait_all_threads_completed().await?;
        Ok(())
    })
    .unwrap();
    // And outside a run at once.
    let (file, reader) = terzetto::run(async { Ok(watched()?) }).unwrap();
    drop(file);
    assert_eq!(std::io::read_to_string(reader).unwrap(), "");
}

#[test]
fn file_02_what_a_thread_has_begun_is_finished() {
    terzetto::run(async {
        let (file, mut writer) = slow()?;
        let scope = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                let reading = scope.run(async {
                    let mut buffer = [0; 8];
                    assert_eq!(file.read(&mut buffer).await?, 4, "the result comes in spite of it");
                    assert_eq!(&buffer[..4], b"data");
                    Ok(checkpoint().await?)
                });
                assert!(reading.await?.is_none());
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            scope.cancel();
            wait_all_tasks_blocked(0.01).await?;
            Ok(writer.write_all(b"data")?)
        })
        .await?;
        assert!(scope.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn file_02_what_has_not_begun_is_not_done() {
    in_a_folder(async |dir| {
        let path = dir.path().join("never");
        let scope = CancelScope::new();
        scope.cancel();
        scope.run(async { Ok(fs::write(&path, "x").await?) }).await?;
        assert!(scope.cancelled_caught() && !path.try_exists().await?);
        // Neither is what waits for its turn.
        let (file, mut writer) = slow()?;
        let scope = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(file.read_to_string().await?, "all of it");
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            n.start_soon(async { scope.run(async { Ok(file.read(&mut [0]).await?) }).await.map(drop) });
            wait_all_tasks_blocked(0.01).await?;
            scope.cancel();
            wait_all_tasks_blocked(0.01).await?;
            assert!(scope.cancelled_caught());
            writer.write_all(b"all of it")?;
            drop(writer);
            Ok(())
        })
        .await
    });
}
