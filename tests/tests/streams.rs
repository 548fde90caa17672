//! TEST-04, TEST-05 and STREAM: streams in memory, and the suites that check streams.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
};
use terzetto::{
    CancelScope, Error, checkpoint, current_time,
    io::{HalfCloseableStream, ReceiveStream, Resource, SendStream, StapledStream, StreamError},
    lowlevel::cancel_shielded_checkpoint,
    nursery, sleep,
    testing::{
        MemoryReceiveStream, MemorySendStream, MemoryStream, StreamCheckFailed, check_clogged_stream,
        check_half_closeable_stream, check_one_way_stream, check_two_way_stream,
        lockstep_stream_one_way_pair, lockstep_stream_pair, memory_stream_one_way_pair, memory_stream_pair,
        memory_stream_pump, wait_all_tasks_blocked,
    },
};
use terzetto_tests::run_mock;

#[test]
fn test_04_a_memory_sender_keeps_what_is_sent_and_runs_its_hooks() {
    run_mock(async {
        let stream = MemorySendStream::new();
        let record = Rc::new(RefCell::new(String::new()));
        let note = |what: char| {
            let record = record.clone();
            move || record.borrow_mut().push(what)
        };
        let (sent, waited) = (note('s'), note('w'));
        stream.on_send(move || {
            sent();
            async { Ok(sleep(2.0).await?) }
        });
        stream.on_wait(move || {
            waited();
            async { Ok(()) }
        });
        stream.on_close(note('c'));
        let start = current_time();
        stream.send_all(b"0123456789").await?;
        assert_eq!(current_time() - start, 2.0, "the hook delays");
        stream.wait_send_all_might_not_block().await?;
        assert_eq!(stream.get_data(4).await?, b"0123");
        assert_eq!(stream.get_data_nowait(usize::MAX).unwrap(), b"456789");
        assert_eq!(stream.get_data_nowait(1), None);
        // Getting waits for data.
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(stream.get_data(9).await?, b"x");
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            Ok(stream.send_all(b"x").await?)
        })
        .await?;
        stream.close().await?;
        stream.close().await?;
        assert_eq!(stream.get_data(9).await?, b"", "the end");
        assert_eq!(*record.borrow(), "swscc");
        Ok(())
    })
    .unwrap();
}

#[test]
fn test_04_a_memory_receiver_is_fed_and_its_hook_shortens_delays_and_fails() {
    run_mock(async {
        let stream = MemoryReceiveStream::new();
        let mut buffer = [0; 16];
        stream.put_data(b"abcdef")?;
        stream.on_receive(async |room| {
            sleep(1.0).await?;
            Ok(room.min(2))
        });
        let start = current_time();
        assert_eq!(stream.receive_some(&mut buffer).await?, 2);
        assert_eq!(current_time() - start, 1.0);
        stream.on_receive(async |_| Err(StreamError::Broken(None)));
        assert!(matches!(stream.receive_some(&mut buffer).await, Err(StreamError::Broken(None))));
        stream.on_receive(async |room| Ok(room));
        assert_eq!(stream.receive_some(&mut buffer).await?, 4);
        stream.put_eof();
        assert!(matches!(stream.put_data(b"x"), Err(StreamError::Closed)));
        assert_eq!(stream.receive_some(&mut buffer).await?, 0);
        let closed = Rc::new(Cell::new(false));
        let flag = closed.clone();
        stream.on_close(move || flag.set(true));
        drop(stream);
        assert!(closed.get(), "a dropped stream closes");
        Ok(())
    })
    .unwrap();
}

#[test]
fn test_04_memory_streams_take_two_ticks_to_catch_a_second_caller() {
    run_mock(async {
        let (sender, receiver) = memory_stream_one_way_pair();
        let mut buffer = [0; 4];
        let mut send = pin!(sender.send_all(b"x"));
        let mut receive = pin!(receiver.receive_some(&mut buffer));
        for _ in 0..2 {
            assert!(futures_util::poll!(&mut send).is_pending());
            assert!(futures_util::poll!(&mut receive).is_pending());
            cancel_shielded_checkpoint().await;
        }
        let busy = |outcome: Option<StreamError>| matches!(outcome, Some(StreamError::Busy(_)));
        // The first callers are at their second tick: nothing was sent yet.
        assert!(busy(sender.send_all(b"y").await.err()));
        assert!(busy(sender.wait_send_all_might_not_block().await.err()));
        assert!(busy(receiver.receive_some(&mut [0; 4]).await.err()));
        send.await?;
        assert_eq!(receive.await?, 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn test_04_a_pump_cuts_the_stream_into_fragments() {
    run_mock(async {
        let (sender, receiver) = (MemorySendStream::new(), MemoryReceiveStream::new());
        sender.send_all(b"fragments").await?;
        sender.close().await?;
        let mut buffer = [0; 16];
        let mut pieces = Vec::new();
        while memory_stream_pump(&sender, &receiver, 4)? {
            let n = receiver.receive_some(&mut buffer).await?;
            pieces.push(n);
            if n == 0 {
                break;
            }
        }
        assert_eq!(pieces, [4, 4, 1, 0]);
        let (sender, receiver) = (MemorySendStream::new(), MemoryReceiveStream::new());
        sender.send_all(b"x").await?;
        receiver.close().await?;
        assert!(matches!(memory_stream_pump(&sender, &receiver, 4), Err(StreamError::Broken(None))));
        Ok(())
    })
    .unwrap();
}

#[test]
fn test_05_the_suites_pass_on_memory_and_lockstep_streams() {
    run_mock(async {
        check_one_way_stream(async || Ok(memory_stream_one_way_pair())).await?;
        check_one_way_stream(async || Ok(lockstep_stream_one_way_pair())).await?;
        check_clogged_stream(async || Ok(lockstep_stream_one_way_pair())).await?;
        check_two_way_stream(async || Ok(memory_stream_pair())).await?;
        check_two_way_stream(async || Ok(lockstep_stream_pair())).await?;
        check_half_closeable_stream(async || Ok(memory_stream_pair())).await?;
        check_half_closeable_stream(async || Ok(lockstep_stream_pair())).await
    })
    .unwrap();
}

#[test]
fn test_05_a_lockstep_send_that_is_cancelled_is_no_end_of_the_stream() {
    let (sender, receiver) = lockstep_stream_one_way_pair();
    let scope = CancelScope::new();
    run_mock(nursery(async |n| {
        n.start_soon(async {
            assert!(scope.run(async { Ok(sender.send_all(b"back").await?) }).await?.is_none());
            sleep(1.0).await?;
            Ok(sender.send_all(b"there").await?)
        });
        sleep(0.5).await?;
        // The data are there when the receiver looks, and are taken back while it gives others their turn.
        scope.cancel();
        let mut buffer = [0; 8];
        let size = receiver.receive_some(&mut buffer).await?;
        // With a seed the receiver may come first, and take the data.
        assert!(matches!(&buffer[..size], b"there" | b"back"), "{:?}", &buffer[..size]);
        if &buffer[..size] == b"back" {
            assert_eq!(receiver.receive_some(&mut buffer).await?, 5);
        }
        Ok(())
    }))
    .unwrap();
}

/// One way in which a stream can be wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    LosesAByte,
    SendIsNoCheckpoint,
    ReceiveIsNoCheckpoint,
    CloseIsNoCheckpoint,
    EndOnlyOnce,
    ReceivesIntoNoRoom,
    NeverBreaks,
    ReceivesAfterClose,
    SendsAfterClose,
    ClosesOnlyUncancelled,
    LetsTwoReceive,
    EatsWhenCancelled,
    IgnoresCancelledSend,
    EmptySendSends,
    EofClosesBoth,
    EofOnlyOnce,
    SleepsThroughItsClosing,
}

/// A lockstep or memory stream that misbehaves on purpose.
struct Faulty {
    inner: MemoryStream,
    fault: Fault,
    ended: Cell<bool>,
    closed: Cell<bool>,
    eof_sent: Cell<bool>,
}

impl Faulty {
    fn pair(fault: Fault) -> (Faulty, Faulty) {
        let make = |inner| Faulty {
            inner,
            fault,
            ended: Cell::new(false),
            closed: Cell::new(false),
            eof_sent: Cell::new(false),
        };
        let (a, b) = memory_stream_pair();
        (make(a), make(b))
    }
}

impl Resource for Faulty {
    async fn close(&self) -> Result<(), StreamError> {
        self.closed.set(true);
        match self.fault {
            Fault::CloseIsNoCheckpoint => {
                self.inner.send_stream.close_now();
                self.inner.receive_stream.close_now();
                Ok(())
            }
            Fault::ClosesOnlyUncancelled => {
                checkpoint().await?;
                self.inner.close().await
            }
            Fault::ReceivesAfterClose | Fault::SleepsThroughItsClosing => {
                self.inner.send_stream.close().await
            }
            Fault::SendsAfterClose => self.inner.receive_stream.close().await,
            _ => self.inner.close().await,
        }
    }
}

impl SendStream for Faulty {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        match self.fault {
            Fault::LosesAByte if data.len() > 2 => self.inner.send_all(&data[1..]).await,
            // Says that it was done before anything was.
            Fault::SendIsNoCheckpoint if !data.is_empty() => Ok(()),
            Fault::NeverBreaks => match self.inner.send_all(data).await {
                Err(StreamError::Broken(_)) => Ok(()),
                other => other,
            },
            Fault::IgnoresCancelledSend => {
                let scope = CancelScope::new().shielded(true);
                match scope.run(async { Ok(self.inner.send_all(data).await) }).await {
                    Ok(Some(outcome)) => outcome,
                    _ => Err(StreamError::Closed),
                }
            }
            Fault::EmptySendSends if data.is_empty() => self.inner.send_all(b"!").await,
            Fault::SendsAfterClose if self.closed.get() => Ok(checkpoint().await?),
            _ => self.inner.send_all(data).await,
        }
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        self.inner.wait_send_all_might_not_block().await
    }
}

impl ReceiveStream for Faulty {
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        match self.fault {
            Fault::ReceiveIsNoCheckpoint => Ok(0),
            Fault::ReceivesIntoNoRoom if buffer.is_empty() => Ok(checkpoint().await.map(|()| 0)?),
            Fault::EndOnlyOnce if self.ended.get() => Err(StreamError::Broken(None)),
            Fault::EndOnlyOnce => {
                let n = self.inner.receive_some(buffer).await?;
                self.ended.set(n == 0);
                Ok(n)
            }
            Fault::ReceivesAfterClose if self.closed.get() => Ok(checkpoint().await.map(|()| 0)?),
            Fault::LetsTwoReceive => match self.inner.receive_some(buffer).await {
                Err(StreamError::Busy(_)) => Ok(1),
                other => other,
            },
            Fault::EatsWhenCancelled => {
                let shielded = CancelScope::new().shielded(true);
                if terzetto::lowlevel::checkpoint_if_cancelled().await.is_err() {
                    let eaten = shielded.run(async { Ok(self.inner.receive_some(buffer).await?) }).await;
                    drop(eaten);
                    checkpoint().await?;
                }
                self.inner.receive_some(buffer).await
            }
            _ => self.inner.receive_some(buffer).await,
        }
    }
}

impl HalfCloseableStream for Faulty {
    async fn send_eof(&self) -> Result<(), StreamError> {
        match self.fault {
            Fault::EofClosesBoth => self.inner.close().await,
            Fault::EofOnlyOnce if self.eof_sent.replace(true) => Err(StreamError::Closed),
            _ => self.inner.send_eof().await,
        }
    }
}

#[test]
fn test_05_the_suites_find_each_deliberate_fault() {
    let faults = [
        Fault::LosesAByte,
        Fault::SendIsNoCheckpoint,
        Fault::ReceiveIsNoCheckpoint,
        Fault::CloseIsNoCheckpoint,
        Fault::EndOnlyOnce,
        Fault::ReceivesIntoNoRoom,
        Fault::NeverBreaks,
        Fault::ReceivesAfterClose,
        Fault::SendsAfterClose,
        Fault::ClosesOnlyUncancelled,
        Fault::LetsTwoReceive,
        Fault::EatsWhenCancelled,
        Fault::IgnoresCancelledSend,
        Fault::EmptySendSends,
        Fault::EofClosesBoth,
        Fault::EofOnlyOnce,
        Fault::SleepsThroughItsClosing,
    ];
    for fault in faults {
        let outcome = run_mock(async { check_half_closeable_stream(async || Ok(Faulty::pair(fault))).await });
        let error = outcome.err().unwrap_or_else(|| panic!("{fault:?} was not found"));
        let broken = error.find::<StreamCheckFailed>();
        assert!(broken.is_some(), "{fault:?} came out as {error}");
        println!("{fault:?}: {}", broken.unwrap().rule());
    }
}

/// A lockstep sender that misbehaves when it is clogged.
struct Clogged<S> {
    inner: S,
    fault: &'static str,
}

impl<S: SendStream> Resource for Clogged<S> {
    async fn close(&self) -> Result<(), StreamError> {
        match self.fault {
            "sleeps through its closing" => Ok(checkpoint().await?),
            _ => self.inner.close().await,
        }
    }
}

impl<S: SendStream> SendStream for Clogged<S> {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        match (self.fault, self.inner.send_all(data).await) {
            ("lets two send", Err(StreamError::Busy(_))) => Ok(()),
            ("calls broken closed", Err(StreamError::Broken(_))) => Err(StreamError::Closed),
            (_, outcome) => outcome,
        }
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        match self.fault {
            "never waits" => Ok(checkpoint().await?),
            _ => self.inner.wait_send_all_might_not_block().await,
        }
    }
}

#[test]
fn test_05_the_clogged_suite_finds_each_deliberate_fault() {
    for fault in ["lets two send", "calls broken closed", "never waits", "sleeps through its closing"] {
        let outcome = run_mock(async {
            check_clogged_stream(async || {
                let (inner, receiver) = lockstep_stream_one_way_pair();
                Ok((Clogged { inner, fault }, receiver))
            })
            .await
        });
        let error = outcome.err().unwrap_or_else(|| panic!("{fault:?} was not found"));
        assert!(error.find::<StreamCheckFailed>().is_some(), "{fault} came out as {error}");
    }
}

#[test]
fn stream_05_a_stapled_stream_joins_two_one_way_streams() {
    run_mock(async {
        let (send_stream, receive_stream) = memory_stream_one_way_pair();
        let stapled = StapledStream { send_stream, receive_stream };
        stapled.send_all(b"around").await?;
        let mut buffer = [0; 16];
        assert_eq!(stapled.receive_some(&mut buffer).await?, 6);
        stapled.send_eof().await?;
        assert_eq!(stapled.receive_some(&mut buffer).await?, 0);
        // Both halves are closed, also if the first fails for being cancelled.
        let (a, b) = memory_stream_pair();
        let scope = CancelScope::new();
        scope.cancel();
        scope.run(async { Ok(a.close().await?) }).await?;
        assert!(matches!(a.send_all(b"x").await, Err(StreamError::Closed)));
        assert!(matches!(a.receive_some(&mut buffer).await, Err(StreamError::Closed)));
        assert_eq!(b.receive_some(&mut buffer).await?, 0);
        Ok::<(), Error>(())
    })
    .unwrap();
}
