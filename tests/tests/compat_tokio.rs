//! Libraries that need tokio.

use std::{
    cell::Cell,
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};
use terzetto::{
    CancelScope, Error, cancellable,
    compat::{
        FuturesIo,
        tokio::{TokioStream, handle, in_tokio, in_tokio_with_notice},
    },
    fail_after,
    io::{ReceiveStream, SendStream, StreamError, TcpStream},
    move_on_after, nursery, sleep,
    testing::{assert_checkpoints, check_half_closeable_stream, memory_stream_pair, wait_all_tasks_blocked},
};
use terzetto_tests::OnDrop;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    runtime::Handle,
};
use tokio_util::compat::FuturesAsyncReadCompatExt;

/// A wait on tokio's clock.
async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Where a task of tokio runs.
async fn tokios_thread() -> Result<ThreadId, Error> {
    Ok(in_tokio(async { tokio::spawn(async { thread::current().id() }).await }).await??)
}

#[test]
fn compat_06_timers_of_tokio_pass_in_a_task_of_the_run() {
    terzetto::run(async {
        let (start, here) = (Instant::now(), thread::current().id());
        // Many at once, and each borrows.
        let done = Cell::new(0);
        nursery(async |n| {
            for _ in 0..50 {
                n.start_soon(async {
                    in_tokio(pause(20)).await?;
                    assert_eq!(thread::current().id(), here);
                    done.set(done.get() + 1);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!(done.get(), 50);
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(20) && took < Duration::from_secs(1), "side by side: {took:?}");
        assert!(Handle::try_current().is_err(), "the context is left after each poll");
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_06_sockets_of_tokio_and_of_the_run_talk() {
    terzetto::run(async {
        let listener = in_tokio(TcpListener::bind("127.0.0.1:0")).await??;
        let address = listener.local_addr()?;
        nursery(async |n| {
            n.start_soon(async {
                // A server of tokio's kind, as a task of ours.
                for _ in 0..2 {
                    let (mut stream, _) = in_tokio(listener.accept()).await??;
                    let (mut read, mut write) = stream.split();
                    in_tokio(tokio::io::copy(&mut read, &mut write)).await??;
                }
                Ok(())
            });
            let data: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
            let mut theirs = in_tokio(tokio::net::TcpStream::connect(address)).await??;
            let (mut read, mut write) = theirs.split();
            let mut got = Vec::new();
            let sent = async {
                in_tokio(write.write_all(&data)).await??;
                Ok::<_, Error>(in_tokio(write.shutdown()).await??)
            };
            let (sent, received) = futures_util::join!(sent, in_tokio(read.read_to_end(&mut got)));
            sent?;
            assert_eq!(received??, data.len());
            assert!(got == data);
            let ours = TcpStream::connect(address).await?;
            ours.send_all(b"ours").await?;
            let mut buffer = [0; 16];
            assert_eq!(ours.receive_some(&mut buffer).await?, 4);
            assert_eq!(&buffer[..4], b"ours");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_06_a_cancelled_scope_drops_the_future_in_tokios_context() {
    terzetto::run(async {
        let dropped = Cell::new(None);
        let outcome = move_on_after(0.02, async {
            let never = async {
                // What destructors of clients do: they need tokio.
                let _held = OnDrop(|| dropped.set(Some(Handle::try_current().is_ok())));
                pause(60_000).await;
            };
            in_tokio(never).await
        });
        assert!(outcome.await?.is_none());
        assert_eq!(dropped.get(), Some(true));
        // In a cancelled scope it is not begun.
        let (scope, begun) = (CancelScope::new(), Cell::new(false));
        scope.cancel();
        scope.run(async { in_tokio(async { begun.set(true) }).await }).await?;
        assert!(!begun.get());
        // One that is ready at once is a checkpoint.
        assert_checkpoints(in_tokio(async {})).await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_06_a_future_that_is_told_ends_by_itself() {
    terzetto::run(async {
        let said = Cell::new("");
        let (scope, value) = (CancelScope::new(), Cell::new(0));
        nursery(async |n| {
            n.start_soon(async {
                scope
                    .run(async {
                        let told = in_tokio_with_notice(|token| {
                            let said = &said;
                            async move {
                                tokio::select! {
                                    () = pause(60_000) => unreachable!("it is told first"),
                                    () = token.cancelled() => {}
                                }
                                said.set("goodbye");
                                // It may still wait.
                                pause(5).await;
                                7
                            }
                        });
                        value.set(told.await?);
                        // The next checkpoint knows of the cancellation.
                        assert!(sleep(0.0).await.is_err());
                        Ok(())
                    })
                    .await?;
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(said.get(), "");
            scope.cancel();
            Ok(())
        })
        .await?;
        assert_eq!((said.get(), value.get()), ("goodbye", 7));
        // Nothing is begun in a scope that is cancelled already.
        let scope = CancelScope::new();
        scope.cancel();
        let begun = scope.run(in_tokio_with_notice(|_| async { value.set(8) })).await?;
        assert_eq!((begun, value.get()), (None, 7));
        assert_checkpoints(in_tokio_with_notice(|_| async {})).await
    })
    .unwrap();
}

#[test]
fn compat_06_a_panic_goes_through_and_leaves_tokio_usable() {
    let dropped = Cell::new(false);
    let payload = catch_unwind(AssertUnwindSafe(|| {
        terzetto::run(async {
            nursery(async |n| {
                n.start_soon(async {
                    let _held = OnDrop(|| dropped.set(true));
                    in_tokio(pending::<()>()).await
                });
                n.start_soon(async {
                    in_tokio(async {
                        pause(1).await;
                        panic!("inside")
                    })
                    .await
                });
                Ok(())
            })
            .await
        })
    }))
    .unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"inside"));
    assert!(dropped.get(), "the sibling has ended");
    assert!(Handle::try_current().is_err(), "the context is left");
    terzetto::run(async {
        // A task of tokio that panics is an error of its handle.
        let joined = in_tokio(async { tokio::spawn(async { panic!("in a task") }).await }).await?;
        assert!(joined.unwrap_err().is_panic());
        in_tokio(pause(1)).await
    })
    .unwrap();
}

#[test]
fn compat_06_tasks_of_tokio_run_on_its_thread_and_end_with_the_run() {
    let dropped = Arc::new(AtomicBool::new(false));
    let held = dropped.clone();
    let (here, theirs) = terzetto::run(async {
        let _task = handle()?.spawn(async move {
            let _held = OnDrop(move || held.store(true, Ordering::Relaxed));
            pending::<()>().await;
        });
        let theirs = tokios_thread().await?;
        // A handle of a task can be awaited and aborted from here.
        let slow = handle()?.spawn(pause(60_000));
        slow.abort();
        assert!(in_tokio(slow).await?.unwrap_err().is_cancelled());
        // A handle needs no context, so any way of awaiting will do.
        assert_eq!(cancellable(handle()?.spawn_blocking(|| 3)).await??, 3);
        Ok((thread::current().id(), theirs))
    })
    .unwrap();
    assert_ne!(here, theirs);
    assert!(dropped.load(Ordering::Relaxed), "the thread is joined, and its tasks are dropped");
}

#[test]
fn compat_06_each_run_has_a_tokio_of_its_own() {
    let of_a_run = || {
        terzetto::run(async {
            let first = tokios_thread().await?;
            assert_eq!(tokios_thread().await?, first, "one for each run");
            Ok((first, handle()?))
        })
        .unwrap()
    };
    let (first, kept) = of_a_run();
    let (second, _) = of_a_run();
    assert_ne!(first, second);
    // What is kept from an earlier run is refused, and does not hang.
    terzetto::run(async {
        let late = kept.spawn(async {});
        assert!(fail_after(5.0, in_tokio(late)).await?.unwrap_err().is_cancelled());
        Ok(())
    })
    .unwrap();
    // A run that did not use tokio has started no thread: there is no handle to make without a run.
    assert!(catch_unwind(|| handle().map(drop)).is_err());
}

#[test]
fn compat_06_the_end_of_a_run_does_not_wait_for_blocking_functions() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let start = Instant::now();
    terzetto::run(async {
        let blocked = in_tokio(async { tokio::task::spawn_blocking(move || held.recv()).await });
        assert!(move_on_after(0.02, blocked).await?.is_none());
        Ok(())
    })
    .unwrap();
    assert!(start.elapsed() < Duration::from_secs(2));
    drop(release);
}

#[test]
fn compat_06_a_nursery_inside_is_in_tokios_context_too() {
    terzetto::run(async {
        let sum = Cell::new(0);
        let inside = async {
            nursery(async |n| {
                for number in 1..=10 {
                    let sum = &sum;
                    n.start_soon(async move {
                        // Tokio's wait in a child, with no word about tokio.
                        pause(number).await;
                        sleep(0.001).await?;
                        sum.set(sum.get() + number);
                        Ok(())
                    });
                }
                Ok(())
            })
            .await
        };
        in_tokio(inside).await??;
        assert_eq!(sum.get(), 55);
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_06_a_stream_of_tokio_keeps_the_rules_of_streams() {
    terzetto::run(async {
        let pair = async || {
            let (a, b) = tokio::io::duplex(1000);
            Ok((TokioStream::new(a)?, TokioStream::new(b)?))
        };
        check_half_closeable_stream(pair).await?;
        check_half_closeable_stream(async || {
            let listener = in_tokio(TcpListener::bind("127.0.0.1:0")).await??;
            let client = in_tokio(tokio::net::TcpStream::connect(listener.local_addr()?)).await??;
            let (server, _) = in_tokio(listener.accept()).await??;
            Ok((TokioStream::new(client)?, TokioStream::new(server)?))
        })
        .await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_06_a_cancelled_receive_takes_nothing_and_a_cancelled_send_breaks() {
    terzetto::run(async {
        let (a, mut b) = tokio::io::duplex(4);
        let a = TokioStream::new(a)?;
        let mut buffer = [0; 8];
        assert!(
            move_on_after(0.01, async { Ok(a.receive_some(&mut buffer).await?) }).await?.is_none(),
            "nothing has come"
        );
        b.write_all(b"kept").await?;
        assert_eq!(a.receive_some(&mut buffer).await?, 4);
        assert_eq!(&buffer[..4], b"kept");
        assert!(move_on_after(0.01, async { Ok(a.send_all(b"too much").await?) }).await?.is_none());
        assert!(matches!(a.send_all(b"more").await, Err(StreamError::Broken(_))));
        // Receiving goes on.
        b.write_all(b"on").await?;
        assert_eq!(a.receive_some(&mut buffer).await?, 2);
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_06_streams_of_the_run_work_in_tokios_functions() {
    terzetto::run(async {
        let (here, there) = memory_stream_pair();
        let mut here = FuturesIo::new(here).compat();
        nursery(async |n| {
            n.start_soon(async {
                here.write_all(b"one line\nanother\n").await?;
                Ok(here.shutdown().await?)
            });
            let mut lines = tokio::io::BufReader::new(FuturesIo::new(there).compat());
            let mut line = String::new();
            tokio::io::AsyncBufReadExt::read_line(&mut lines, &mut line).await?;
            assert_eq!(line, "one line\n");
            line.clear();
            lines.read_to_string(&mut line).await?;
            assert_eq!(line, "another\n");
            Ok(())
        })
        .await?;
        // A read of tokio's kind that waits is cancelled by the scope.
        let (here, _there) = memory_stream_pair();
        let mut here = FuturesIo::new(here).compat();
        assert!(move_on_after(0.01, async { Ok(here.read_u8().await?) }).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_06_what_is_not_send_may_be_awaited() {
    terzetto::run(async {
        let local = Rc::new(Cell::new(1));
        let shared = local.clone();
        in_tokio(async move {
            pause(1).await;
            shared.set(2);
        })
        .await?;
        assert_eq!(local.get(), 2);
        Ok(())
    })
    .unwrap();
}
