//! trio's `test_io`: waiting for descriptors.

use std::{
    cell::{Cell, RefCell},
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    os::{
        fd::{AsRawFd, BorrowedFd, RawFd},
        unix::net::UnixStream,
    },
};
use terzetto::{
    Error,
    io::{StreamError, wait_readable, wait_writable},
    lowlevel::current_statistics,
    nursery, run,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};

fn socketpair() -> std::io::Result<(UnixStream, UnixStream)> {
    let (a, b) = UnixStream::pair()?;
    a.set_nonblocking(true)?;
    b.set_nonblocking(true)?;
    Ok((a, b))
}

fn fill(mut socket: &UnixStream) {
    while socket.write(&[0; 65536]).is_ok() {}
}

fn drain(mut socket: &UnixStream) {
    while socket.read(&mut [0; 65536]).is_ok_and(|n| n > 0) {}
}

/// Notes how a wait ended, and passes on only what is no cancellation.
async fn record(
    wait: impl Future<Output = Result<(), StreamError>>,
    record: &RefCell<Vec<&'static str>>,
) -> Result<(), Error> {
    let outcome = assert_checkpoints(wait).await;
    record.borrow_mut().push(match &outcome {
        Ok(()) => "ready",
        Err(StreamError::Cancelled(_)) => "cancelled",
        Err(_) => "failed",
    });
    Ok(outcome?)
}

#[test]
fn trio_io_wait_basic() {
    run(async {
        let (a, b) = socketpair()?;
        // It can be written to, and need not block for that.
        assert_checkpoints(wait_writable(&a)).await?;
        let noted = &RefCell::new(Vec::new());
        nursery(async |n| {
            n.start_soon(record(wait_readable(&a), noted));
            wait_all_tasks_blocked(0.01).await?;
            assert!(noted.borrow().is_empty());
            (&b).write_all(b"x")?;
            Ok(())
        })
        .await?;
        assert_eq!(noted.take(), ["ready"]);
        drain(&a);
        fill(&a);
        assert_checkpoints(wait_readable(&b)).await?;
        nursery(async |n| {
            n.start_soon(record(wait_writable(&a), noted));
            wait_all_tasks_blocked(0.01).await?;
            assert!(noted.borrow().is_empty());
            drain(&b);
            Ok(())
        })
        .await?;
        assert_eq!(noted.take(), ["ready"]);
        // Cancelled.
        fill(&a);
        for writes in [false, true] {
            nursery(async |n| {
                match writes {
                    false => n.start_soon(record(wait_readable(&a), noted)),
                    true => n.start_soon(record(wait_writable(&a), noted)),
                }
                wait_all_tasks_blocked(0.0).await?;
                n.cancel_scope().cancel();
                Ok(())
            })
            .await?;
            assert_eq!(noted.take(), ["cancelled"]);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_io_double_write() {
    run(async {
        let (a, _b) = socketpair()?;
        fill(&a);
        nursery(async |n| {
            n.start_soon(async { Ok(wait_writable(&a).await?) });
            wait_all_tasks_blocked(0.0).await?;
            assert!(matches!(wait_writable(&a).await, Err(StreamError::Busy(_))));
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

const N: usize = 200_000;

/// Sends in pieces of different lengths.
async fn sender(mut socket: &UnixStream, mut seed: usize) -> Result<usize, Error> {
    let mut sent = 0;
    while sent < N {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut chunk = vec![0; 1 + (seed >> 33) % 65536];
        while !chunk.is_empty() {
            assert_checkpoints(wait_writable(socket)).await?;
            match socket.write(&chunk) {
                Ok(n) => {
                    sent += n;
                    chunk.drain(..n);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    socket.shutdown(Shutdown::Write)?;
    Ok(sent)
}

async fn receiver(mut socket: &UnixStream) -> Result<usize, Error> {
    let (mut received, mut buffer) = (0, vec![0; 65536]);
    loop {
        assert_checkpoints(wait_readable(socket)).await?;
        match socket.read(&mut buffer) {
            Ok(0) => return Ok(received),
            Ok(n) => received += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[test]
fn trio_io_socket_actual_streaming() {
    run(async {
        let (a, b) = &socketpair()?;
        let results = &[(); 4].map(|()| Cell::new(0));
        nursery(async |n| {
            for (i, socket) in [a, b].into_iter().enumerate() {
                n.start_soon(async move {
                    let sent = sender(socket, i).await?;
                    results[i].set(sent);
                    Ok(())
                });
                n.start_soon(async move {
                    let received = receiver(socket).await?;
                    results[2 + i].set(received);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!((results[0].get(), results[1].get()), (results[3].get(), results[2].get()));
        assert!(results[0].get() >= N);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_io_manager_statistics() {
    run(async {
        let check = |readers: usize, writers: usize| {
            let statistics = current_statistics();
            assert_eq!((statistics.tasks_waiting_read, statistics.tasks_waiting_write), (readers, writers));
        };
        let pairs = [socketpair()?, socketpair()?, socketpair()?];
        let [(a1, _), (a2, b2), (a3, _)] = &pairs;
        check(0, 0);
        fill(a1);
        fill(a3);
        nursery(async |n| {
            n.start_soon(async { Ok(wait_writable(a1).await?) });
            n.start_soon(async { Ok(wait_readable(a2).await?) });
            n.start_soon(async { Ok(wait_readable(b2).await?) });
            n.start_soon(async { Ok(wait_writable(a3).await?) });
            n.start_soon(async { Ok(wait_readable(a3).await?) });
            wait_all_tasks_blocked(0.0).await?;
            check(3, 2);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        check(0, 0);
        Ok(())
    })
    .unwrap();
}

/// Waits for a descriptor that will be closed meanwhile. It may hear of that, or be cancelled.
async fn allow_closed(number: RawFd, writes: bool) -> Result<(), Error> {
    // SAFETY: that the descriptor is closed while it is borrowed is what is tested; the number is used for nothing but
    // asking the system to watch it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let outcome = match writes {
        false => wait_readable(borrowed).await,
        true => wait_writable(borrowed).await,
    };
    match outcome {
        Err(StreamError::Cancelled(cancelled)) => Err(cancelled.into()),
        _ => Ok(()),
    }
}

#[test]
fn trio_io_can_survive_unnotified_close() {
    run(async {
        // The last descriptor of a socket, and one of two.
        for is_last in [true, false] {
            let (a, _b) = socketpair()?;
            let other = (!is_last).then(|| a.try_clone()).transpose()?;
            nursery(async |n| {
                n.start_soon(allow_closed(a.as_raw_fd(), false));
                wait_all_tasks_blocked(0.0).await?;
                drop(a);
                wait_all_tasks_blocked(0.0).await?;
                n.cancel_scope().cancel();
                Ok(())
            })
            .await?;
            drop(other);
        }
        // Two tasks wait, and are cancelled; or one is woken, and then the other is cancelled.
        for data in [false, true] {
            let (a, b) = socketpair()?;
            let a2 = &a.try_clone()?;
            fill(&a);
            nursery(async |n| {
                n.start_soon(allow_closed(a.as_raw_fd(), false));
                n.start_soon(allow_closed(a.as_raw_fd(), true));
                wait_all_tasks_blocked(0.0).await?;
                drop(a);
                if data {
                    (&b).write_all(b"x")?;
                    // When this one has heard of it, so would the others have.
                    wait_readable(a2).await?;
                    wait_all_tasks_blocked(0.0).await?;
                }
                n.cancel_scope().cancel();
                Ok(())
            })
            .await?;
        }
        Ok(())
    })
    .unwrap();
}
