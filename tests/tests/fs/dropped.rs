//! FILE-02: futures that are dropped while a thread works for them. Pipes stand for files that are slow.

use super::in_a_folder;
use std::{
    io::{PipeWriter, Read, SeekFrom, Write, pipe},
    os::fd::OwnedFd,
    pin::{Pin, pin},
    task::Poll,
};
use terzetto::{
    Error, checkpoint, fail_after,
    fs::{BufReader, File, FileError, Path},
    nursery, sleep,
    testing::wait_all_tasks_blocked,
    to_thread,
};
use terzetto_tests::begin;

/// A file that is slow to read, and the other end.
fn slow() -> std::io::Result<(File, PipeWriter)> {
    let (reader, writer) = pipe()?;
    Ok((File::from_std(OwnedFd::from(reader).into(), "slow"), writer))
}

/// Polls an operation until a thread has begun with it, and drops it.
async fn drop_amid(operation: impl Future) {
    let mut operation = pin!(operation);
    std::future::poll_fn(|cx| {
        assert!(operation.as_mut().poll(cx).is_pending());
        if to_thread::active_thread_count() == 0 { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

/// As [`drop_amid`], and waits until the thread is done.
async fn drop_done(operation: impl Future) -> Result<(), Error> {
    drop_amid(operation).await;
    Ok(to_thread::wait_all_threads_completed().await?)
}

/// An open file in which these ten bytes are.
async fn ten(dir: &Path) -> Result<File, Error> {
    let path = dir.join("f");
    path.write("0123456789").await?;
    Ok(File::options().read(true).write(true).open(&path).await?)
}

#[test]
fn file_02_what_a_dropped_read_has_read_is_what_the_next_one_returns() {
    terzetto::run(async {
        let (file, mut writer) = slow()?;
        let mut buffer = [0; 8];
        drop_amid(file.read(&mut buffer)).await;
        nursery(async |n| {
            n.start_soon(async {
                // The next one waits for the thread of the first.
                let mut buffer = [0; 3];
                assert_eq!(file.read(&mut buffer).await?, 3);
                assert_eq!(&buffer, b"abc");
                // What did not fit is still there, and is not waited for.
                file.read_exact(&mut buffer[..2]).await?;
                assert_eq!(&buffer[..2], b"de");
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            Ok(writer.write_all(b"abcde")?)
        })
        .await?;
        // All kinds of reads, one after the other.
        drop_amid(file.read_exact(&mut buffer)).await;
        writer.write_all(b"12345678")?;
        to_thread::wait_all_threads_completed().await?;
        drop_amid(file.read_to_end()).await;
        writer.write_all(b"9")?;
        drop(writer);
        to_thread::wait_all_threads_completed().await?;
        drop_amid(file.read_to_string()).await;
        assert_eq!(file.read_to_string().await?, "123456789");
        assert_eq!(file.read(&mut buffer).await?, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn file_02_the_end_that_a_dropped_read_exact_has_met_takes_nothing_with_it() {
    in_a_folder(async |dir| {
        let file = ten(dir.path()).await?;
        drop_done(file.read_exact(&mut [0; 16])).await?;
        assert_eq!(file.read_to_string().await?, "0123456789");
        let error = file.read_exact(&mut [0; 16]).await.unwrap_err();
        assert_eq!(error.kind(), Some(std::io::ErrorKind::UnexpectedEof));
        Ok(())
    });
}

#[test]
fn file_02_a_dropped_read_has_not_moved_the_place_in_the_file() {
    in_a_folder(async |dir| {
        let file = ten(dir.path()).await?;
        let mut buffer = [0; 4];
        file.read_exact(&mut buffer[..2]).await?;
        drop_done(file.read(&mut buffer)).await?;
        assert_eq!(file.seek(SeekFrom::Current(0)).await?, 2);
        assert_eq!(file.read(&mut buffer).await?, 4);
        assert_eq!(&buffer, b"2345");

        drop_done(file.read(&mut buffer)).await?;
        assert_eq!(file.seek(SeekFrom::Current(-1)).await?, 5);
        drop_done(file.read(&mut buffer)).await?;
        assert_eq!(file.seek(SeekFrom::Start(1)).await?, 1, "and what was kept is of another place");
        assert_eq!(file.read(&mut buffer).await?, 4);
        assert_eq!(&buffer, b"1234");

        drop_done(file.read_to_end()).await?;
        file.write_all("x").await?;
        file.seek(SeekFrom::Start(0)).await?;
        assert_eq!(file.read_to_string().await?, "01234x6789");

        file.seek(SeekFrom::Start(3)).await?;
        drop_done(file.read(&mut buffer)).await?;
        let mut rest = String::new();
        file.try_clone_std().await?.read_to_string(&mut rest)?;
        assert_eq!(rest, "34x6789", "a clone is in the same place");

        drop_done(file.read(&mut buffer)).await?;
        file.close().await?;
        assert!(matches!(file.read(&mut buffer).await, Err(FileError::Closed { .. })));
        Ok(())
    });
}

#[test]
fn file_02_a_read_that_is_polled_late_gets_its_bytes_or_reads_again() {
    in_a_folder(async |dir| {
        let file = ten(dir.path()).await?;
        let (mut one, mut two) = ([0; 3], [0; 3]);
        {
            // Begun, and not polled while others use the file.
            let mut late = Box::pin(file.read(&mut one));
            begin(&mut late).await;
            while to_thread::active_thread_count() == 0 {
                checkpoint().await?;
                begin(&mut late).await;
            }
            to_thread::wait_all_threads_completed().await?;
            // It holds up nobody.
            let length = fail_after(5.0, async { Ok(file.metadata().await?.len()) }).await?;
            assert_eq!(length, 10);
            assert_eq!(fail_after(5.0, async { Ok(file.read(&mut two).await?) }).await?, 3);
            assert_eq!(late.await?, 3);
        }
        assert_eq!((&two, &one), (b"012", b"345"), "no byte is lost, none comes twice");
        Ok(())
    });
}

#[test]
fn file_02_reads_of_several_tasks_get_their_bytes_in_the_order_of_asking() {
    in_a_folder(async |dir| {
        let file = ten(dir.path()).await?;
        let got = std::cell::RefCell::new(Vec::new());
        nursery(async |n| {
            for i in 0..10 {
                let (file, got) = (&file, &got);
                n.start_soon(async move {
                    for _ in 0..i {
                        checkpoint().await?;
                    }
                    let mut byte = [0];
                    file.read(&mut byte).await?;
                    got.borrow_mut().push(byte[0]);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!(got.borrow().as_slice(), b"0123456789");
        Ok(())
    });
}

#[test]
fn file_02_a_read_that_waits_for_its_turn_does_not_take_what_another_one_has_read() {
    terzetto::run(async {
        let (file, mut writer) = slow()?;
        let mut one = [0; 2];
        nursery(async |n| {
            n.start_soon(async {
                file.read_exact(&mut one).await?;
                assert_eq!(&one, b"ab");
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            n.start_soon(async {
                let mut read = pin!(async {
                    let mut two = [0; 2];
                    file.read_exact(&mut two).await.map(|()| two)
                });
                let two = std::future::poll_fn(|cx| {
                    let polled = read.as_mut().poll(cx);
                    // Gives a thread time to run before the first reader is polled.
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    polled
                })
                .await?;
                assert_eq!(&two, b"cd");
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            Ok(writer.write_all(b"abcd")?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn file_02_what_is_kept_comes_without_a_thread_so_that_short_attempts_get_on() {
    in_a_folder(async |dir| {
        let file = ten(dir.path()).await?;
        let mut buffer = [0; 4];
        drop_done(file.read(&mut [0; 4])).await?;
        let mut read = pin!(file.read(&mut buffer));
        begin(&mut read).await;
        checkpoint().await?;
        assert_eq!(to_thread::active_thread_count(), 0);
        let polled = std::future::poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await;
        assert!(matches!(polled, Poll::Ready(Ok(4))), "it has had its turn");
        Ok(())
    });
}

#[test]
fn file_01_lines_survive_a_select() {
    terzetto::run(async {
        let (file, mut writer) = slow()?;
        let text: String = (0..200).map(|i| format!("line {i}\n")).collect();
        let sent = text.clone();
        // In pieces that end anywhere.
        let feeder = std::thread::spawn(move || {
            for piece in sent.as_bytes().chunks(7) {
                writer.write_all(piece)?;
                std::thread::yield_now();
            }
            Ok::<_, std::io::Error>(())
        });
        let mut reader = BufReader::with_capacity(5, file);
        let (mut lines, mut dropped) = (String::new(), 0);
        'reading: loop {
            // Polled some times, and then dropped.
            let mut line = Box::pin(reader.next_line());
            for _ in 0..dropped % 12 {
                let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut line).poll(cx))).await;
                match polled {
                    Poll::Ready(Ok(Some(line))) => {
                        lines.push_str(&line);
                        lines.push('\n');
                        break;
                    }
                    Poll::Ready(Ok(None)) => break 'reading,
                    Poll::Ready(Err(error)) => return Err(error.into()),
                    Poll::Pending => sleep(0.000_05).await?,
                }
            }
            dropped += 1;
        }
        assert_eq!(lines, text);
        feeder.join().unwrap()?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn file_02_a_dropped_write_is_written_and_the_next_operation_waits_for_it() {
    in_a_folder(async |dir| {
        let file = ten(dir.path()).await?;
        drop_amid(file.write_all("abc")).await;
        file.write_all("d").await?;
        file.seek(SeekFrom::Start(0)).await?;
        assert_eq!(file.read_to_string().await?, "abcd456789");
        Ok(())
    });
}

#[test]
fn file_02_the_error_of_a_dropped_write_comes_with_the_next_write_or_sync() {
    in_a_folder(async |dir| {
        let path = dir.path().join("f");
        path.write("").await?;
        // Not open for writing.
        let file = File::open(&path).await?;
        drop_done(file.write_all("lost")).await?;
        let error = file.sync_all().await.unwrap_err();
        assert!(matches!(error, FileError::Failed { .. }), "{error}");
        file.sync_all().await?;
        drop_done(file.write_all("lost")).await?;
        assert!(file.write_all("").await.is_err(), "nothing is written after what failed");
        file.write_all("").await?;
        Ok(())
    });
}
