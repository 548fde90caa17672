//! The traits of `futures-io` on this runtime's streams.

use futures_util::{
    AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt, poll, select_biased, stream::FuturesUnordered,
};
use std::{cell::Cell, io::ErrorKind, pin::pin};
use terzetto::{
    CancelScope, Error, checkpoint,
    compat::FuturesIo,
    io::{Listener, ReceiveStream, SendStream, StreamError, TcpListener, TcpStream, UnixStream, pipe},
    lowlevel::{cancel_shielded_checkpoint, current_statistics},
    move_on_after, nursery, sleep, sleep_forever,
    testing::{lockstep_stream_pair, memory_stream_pair, wait_all_tasks_blocked},
};
use terzetto_tests::run_mock;

/// Far more than the system's buffers hold.
const MUCH: usize = 1_000_000;

fn noise() -> Vec<u8> {
    (0..MUCH).map(|i| (i * i / 251) as u8).collect()
}

#[test]
fn compat_01_much_goes_both_ways_through_sockets() {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let server = listener.accept().await?;
        let data = noise();
        nursery(async |n| {
            // An echo, reading and writing through one shared reference each.
            n.start_soon(async {
                let copied = futures_util::io::copy(&server, &mut &server).await?;
                assert_eq!(copied, MUCH as u64);
                Ok(AsyncWriteExt::close(&mut &server).await?)
            });
            n.start_soon(async {
                let (mut reader, mut writer) = (&mut client).split();
                let send = async {
                    writer.write_all(&data).await?;
                    writer.close().await
                };
                let mut got = Vec::new();
                let (sent, received) = futures_util::join!(send, reader.read_to_end(&mut got));
                sent?;
                received?;
                assert!(got == data, "what comes back is what was sent");
                Ok(())
            });
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_01_unix_sockets_and_pipes_read_write_and_close() {
    terzetto::run(async {
        let (mut a, mut b) = UnixStream::pair()?;
        a.write_all(b"over").await?;
        // `a.close()` would be `Resource::close`, which closes both directions.
        AsyncWriteExt::close(&mut a).await?;
        let error = a.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected, "what is closed is closed");
        let mut text = String::new();
        b.read_to_string(&mut text).await?;
        assert_eq!(text, "over");
        // The other direction is still open.
        b.write_all(b"back").await?;
        drop(b);
        a.read_to_string(&mut text).await?;
        assert_eq!(text, "overback");

        let (mut sender, mut receiver) = pipe()?;
        let data = noise();
        nursery(async |n| {
            n.start_soon(async {
                sender.write_all(&data).await?;
                Ok(AsyncWriteExt::close(&mut sender).await?)
            });
            let mut got = Vec::new();
            receiver.read_to_end(&mut got).await?;
            assert!(got == data);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_02_a_blocked_read_can_be_cancelled_and_nothing_is_lost() {
    terzetto::run(async {
        let (mut a, mut b) = UnixStream::pair()?;
        let mut buffer = [0; 8];
        let read = async { Ok(a.read(&mut buffer).await?) };
        assert!(move_on_after(0.005, read).await?.is_none(), "a cancellation is recognised in an io::Error");
        let scope = CancelScope::new();
        scope.cancel();
        b.write_all(b"12345678").await?;
        let read = async { Ok(a.read(&mut buffer).await?) };
        assert!(scope.run(read).await?.is_none(), "in a cancelled region a read fails, ready or not");
        assert_eq!(a.read(&mut buffer).await?, 8);
        assert_eq!(&buffer, b"12345678");
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_02_a_read_that_is_dropped_takes_nothing_and_stands_in_nobodys_way() {
    terzetto::run(async {
        let (mut a, mut b) = UnixStream::pair()?;
        let mut buffer = [0; 8];
        for round in 0..3 {
            // Polled once, and dropped.
            assert!(poll!(pin!(a.read(&mut buffer))).is_pending());
            assert_eq!(current_statistics().tasks_waiting_read, 1);
            b.write_all(b"x").await?;
            let n = match round {
                0 => a.receive_some(&mut buffer).await?,
                _ => a.read(&mut buffer).await?,
            };
            assert_eq!((n, current_statistics().tasks_waiting_read), (1, 0));
        }
        // The same with the wait in a scope that has ended; scopes after it get its number.
        let scope = CancelScope::new();
        scope
            .run(async {
                assert!(poll!(pin!(a.read(&mut buffer))).is_pending());
                Ok(())
            })
            .await?;
        let late = move_on_after(0.005, async {
            let poke = async {
                checkpoint().await?;
                // Takes the stale wait off: it must not take off the other future's instead.
                assert!(poll!(pin!(a.read(&mut buffer))).is_pending());
                Ok::<_, Error>(())
            };
            let (slept, poked) = futures_util::join!(sleep_forever(), poke);
            poked?;
            Ok(slept.map(drop)?)
        });
        assert!(late.await?.is_none(), "every wait of a cancelled scope hears of it");
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_02_a_stream_that_moves_to_another_task_wakes_that_one() {
    terzetto::run(async {
        let (mut a, mut b) = UnixStream::pair()?;
        assert!(poll!(pin!(a.read(&mut [0; 8]))).is_pending());
        nursery(async |n| {
            n.start_soon(async move {
                let mut buffer = [0; 8];
                assert_eq!(a.read(&mut buffer).await?, 5);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            Ok(b.write_all(b"moved").await?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_02_two_at_once_in_one_direction_one_is_refused() {
    terzetto::run(async {
        let (a, b) = UnixStream::pair()?;
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(a.receive_some(&mut [0; 8]).await?, 1);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            let error = (&a).read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResourceBusy);
            Ok(b.send_all(b"x").await?)
        })
        .await?;
        // The other way round: the poll yields to the task that says that it wants to receive.
        nursery(async |n| {
            n.start_soon(async {
                let error = (&a).read(&mut [0; 8]).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ResourceBusy);
                Ok(b.send_all(b"x").await?)
            });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(a.receive_some(&mut [0; 8]).await?, 1);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_02_closing_wakes_a_read() {
    terzetto::run(async {
        let (a, _b) = UnixStream::pair()?;
        nursery(async |n| {
            n.start_soon(async {
                let error = (&a).read(&mut [0; 8]).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NotConnected);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            Ok(a.close().await?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_02_a_stream_that_is_always_ready_lets_others_run() {
    terzetto::run(async {
        let (mut a, b) = UnixStream::pair()?;
        b.send_all(&[7; 100_000]).await?;
        let ticks = Cell::new(0);
        nursery(async |n| {
            n.start_soon(async {
                loop {
                    checkpoint().await?;
                    ticks.set(ticks.get() + 1);
                }
            });
            for _ in 0..10_000 {
                assert_eq!(a.read(&mut [0]).await?, 1);
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert!(ticks.get() >= 10_000 / 64, "others ran {} times", ticks.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_02_foreign_combinators_drive_reads() {
    terzetto::run(async {
        let mut pairs = Vec::new();
        for _ in 0..20 {
            pairs.push(UnixStream::pair()?);
        }
        let mut reads: FuturesUnordered<_> = pairs
            .iter()
            .enumerate()
            .map(|(i, (a, _))| async move {
                let mut byte = [0];
                let mut reader = a;
                reader.read_exact(&mut byte).await.map(|()| (i, byte[0]))
            })
            .collect();
        let mut got = Vec::new();
        for i in (0..20).rev() {
            let mut tick = pin!(sleep(0.001).fuse());
            select_biased! {
                _ = reads.next() => panic!("nothing was sent yet"),
                slept = tick => slept?,
            }
            pairs[i].1.send_all(&[i as u8]).await?;
            got.push(reads.next().await.ok_or_else(|| Error::msg("no more"))??);
        }
        assert!(got.into_iter().eq((0..20).rev().map(|i| (i, i as u8))));
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_03_the_adaptor_passes_data_through_streams_in_memory() {
    run_mock(async {
        let data = noise();
        let (a, b) = lockstep_stream_pair();
        nursery(async |n| {
            n.start_soon(async {
                let mut writer = FuturesIo::new(a);
                for piece in data.chunks(99_991) {
                    writer.write_all(piece).await?;
                }
                Ok(writer.close().await?)
            });
            let mut got = Vec::new();
            FuturesIo::new(b).read_to_end(&mut got).await?;
            assert!(got == data);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_03_the_adaptor_keeps_what_a_dropped_read_was_about_to_get() {
    run_mock(async {
        let (a, b) = memory_stream_pair();
        let mut reader = FuturesIo::new(b);
        let mut buffer = [0; 3];
        assert!(poll!(pin!(reader.read(&mut buffer))).is_pending());
        a.send_all(b"abcdef").await?;
        assert_eq!(reader.read(&mut buffer).await?, 3);
        assert_eq!(&buffer, b"abc");
        // The rest is there already.
        assert_eq!(reader.read(&mut buffer).now_or_never().transpose()?, Some(3));
        assert_eq!(&buffer, b"def");
        // Begun in a scope that is cancelled meanwhile: the next read, elsewhere, begins afresh.
        let scope = CancelScope::new();
        let begun = scope.run(async {
            assert!(poll!(pin!(reader.read(&mut buffer))).is_pending());
            scope.cancel();
            Ok(())
        });
        begun.await?;
        a.send_all(b"ghi").await?;
        assert_eq!(reader.read(&mut buffer).await?, 3);
        assert_eq!(&buffer, b"ghi");
        let read = async { Ok(reader.read(&mut buffer).await?) };
        assert!(move_on_after(1.0, read).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_03_a_read_drives_a_write_that_nobody_flushes() {
    run_mock(async {
        let (a, b) = lockstep_stream_pair();
        nursery(async |n| {
            n.start_soon(async {
                let mut io = FuturesIo::new(a);
                io.write_all(b"question").await?;
                let mut answer = [0; 6];
                io.read_exact(&mut answer).await?;
                assert_eq!(&answer, b"answer");
                Ok(())
            });
            cancel_shielded_checkpoint().await;
            let mut question = [0; 8];
            let mut filled = 0;
            while filled < 8 {
                filled += b.receive_some(&mut question[filled..]).await?;
            }
            assert_eq!(&question, b"question");
            Ok(b.send_all(b"answer").await?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_03_a_failed_write_breaks_the_adaptor() {
    run_mock(async {
        let (a, b) = memory_stream_pair();
        b.close().await?;
        let mut writer = FuturesIo::new(a);
        assert!(writer.write_all(b"x").await.and(writer.flush().await).is_err());
        assert_eq!(writer.write(b"y").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert!(writer.close().await.is_ok());
        assert!(matches!(writer.get_ref().send_all(b"z").await, Err(StreamError::Closed)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_03_closing_tells_of_a_write_that_fails_meanwhile() {
    run_mock(async {
        let (a, b) = lockstep_stream_pair();
        let mut writer = FuturesIo::new(a);
        // Taken over, and still under way.
        assert_eq!(writer.write(b"x").await?, 1);
        b.close().await?;
        assert!(writer.close().await.is_err());
        assert!(matches!(writer.get_ref().send_all(b"z").await, Err(StreamError::Closed)));
        assert!(writer.close().await.is_ok(), "told once");
        Ok(())
    })
    .unwrap();
}
