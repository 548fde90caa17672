//! What trio's own tests of pipes and of the Unix domain assert, where `io_streams.rs` and `streams.rs` do not.

use std::{cell::Cell, fs, io, os::fd::AsRawFd, rc::Rc};
use terzetto::{
    Error, fail_after,
    io::{
        Listener, PipeReceiver, PipeSender, ReceiveStream, Resource, SendStream, StapledStream, StreamError,
        TcpListener, UnixStream, pipe, wait_readable, wait_writable,
    },
    nursery,
    testing::{assert_checkpoints, memory_stream_one_way_pair, wait_all_tasks_blocked},
};
use terzetto_tests::run_mock;

fn real<T>(main: impl Future<Output = Result<T, Error>>) -> T {
    terzetto::run(fail_after(60.0, main)).unwrap()
}

/// Whether this process has a descriptor of this number for a pipe.
#[cfg(target_os = "linux")]
fn is_pipe(fd: i32) -> bool {
    fs::read_link(format!("/proc/self/fd/{fd}")).is_ok_and(|file| file.to_string_lossy().starts_with("pipe:"))
}

#[test]
#[cfg(target_os = "linux")]
fn trio_unix_pipes_del_and_async_with() {
    // The numbers are of this process, and other tests use some at the same time: so of pipes that are told apart.
    let own = |fd: i32| fs::read_link(format!("/proc/self/fd/{fd}")).ok();
    real(async {
        for close in [false, true] {
            let (reader, writer) = io::pipe()?;
            let numbers = [reader.as_raw_fd(), writer.as_raw_fd()];
            assert!(numbers.into_iter().all(is_pipe));
            let files = numbers.map(own);
            let (receiver, sender) = (PipeReceiver::from_fd(reader)?, PipeSender::from_fd(writer)?);
            if close {
                receiver.close().await?;
                sender.close().await?;
            }
            drop((receiver, sender));
            for (number, file) in numbers.into_iter().zip(files) {
                assert_ne!(own(number), file);
            }
        }
        Ok(())
    });
}

#[test]
fn trio_unix_pipes_close_at_bad_time_for_receive_some() {
    real(async {
        let (sender, receiver) = pipe()?;
        let duplicate = receiver.try_clone_fd()?;
        nursery(async |n| {
            n.start_soon(async {
                // Wakes in the same tick.
                wait_readable(&duplicate).await?;
                Ok(receiver.close().await?)
            });
            n.start_soon(async {
                match receiver.receive_some(&mut [0; 10]).await {
                    Ok(1) | Err(StreamError::Closed) => Ok(()),
                    outcome => panic!("got {outcome:?}"),
                }
            });
            wait_all_tasks_blocked(0.02).await?;
            Ok(sender.send_all(b"x").await?)
        })
        .await?;
        assert!(matches!(receiver.receive_some(&mut [0; 10]).await, Err(StreamError::Closed)));
        Ok(())
    });
}

#[test]
fn trio_unix_pipes_close_at_bad_time_for_send_all() {
    real(async {
        let (sender, receiver) = pipe()?;
        let duplicate = sender.try_clone_fd()?;
        nursery(async |n| {
            n.start_soon(async {
                let outcome = sender.send_all(&vec![0; 1 << 20]).await;
                assert!(matches!(outcome, Err(StreamError::Closed)), "got {outcome:?}");
                Ok(())
            });
            wait_all_tasks_blocked(0.02).await?;
            n.start_soon(async {
                wait_writable(&duplicate).await?;
                Ok(sender.close().await?)
            });
            wait_all_tasks_blocked(0.02).await?;
            receiver.receive_some(&mut [0; 65536]).await?;
            Ok(())
        })
        .await
    });
}

#[test]
fn trio_open_unix_stream_open_bad_socket() {
    real(async {
        let error = UnixStream::connect("/there/is/no/such/socket").await.unwrap_err();
        assert!(matches!(error, StreamError::Io(error) if error.kind() == io::ErrorKind::NotFound));
        Ok(())
    });
}

/// A stream that notes how often it is closed, and fails at that.
struct Failing<S>(S, Rc<Cell<u32>>);

impl<S: Resource> Resource for Failing<S> {
    async fn close(&self) -> Result<(), StreamError> {
        self.1.set(self.1.get() + 1);
        self.0.close().await?;
        Err(StreamError::Busy("a mistake"))
    }
}

#[test]
fn trio_generic_stapled_stream_with_erroring_close() {
    run_mock(async {
        let (send, receive) = memory_stream_one_way_pair();
        let closes = Rc::new(Cell::new(0));
        let stapled = StapledStream {
            send_stream: Failing(send, closes.clone()),
            receive_stream: Failing(receive, closes.clone()),
        };
        assert!(matches!(stapled.close().await, Err(StreamError::Busy("a mistake"))));
        assert_eq!(closes.get(), 2);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_highlevel_socket_listener_closes_again_and_again() {
    real(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        for _again in 0..2 {
            assert_checkpoints(listener.close()).await?;
        }
        assert!(matches!(listener.accept().await, Err(StreamError::Closed)));
        Ok(())
    });
}

#[test]
fn trio_highlevel_socket_stream_send_all() {
    const BIG: usize = 10_000_000;
    real(async {
        let (a, b) = UnixStream::pair()?;
        nursery(async |n| {
            n.start_soon(async { Ok(a.send_all(&vec![0; BIG]).await?) });
            wait_all_tasks_blocked(0.02).await?;
            let (mut all, mut buffer) = (0, vec![1; 1 << 20]);
            while all < BIG {
                all += b.receive_some(&mut buffer).await?;
            }
            assert_eq!(all, BIG);
            Ok(())
        })
        .await?;
        a.send_all(b"e").await?;
        let mut buffer = [0; 10];
        assert_eq!((b.receive_some(&mut buffer).await?, buffer[0]), (1, b'e'));
        Ok(())
    });
}
