//! IO: waiting for descriptors.

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::net,
};
use terzetto::{
    CancelScope, current_statistics,
    io::{StreamError, notify_closing, wait_readable, wait_writable},
    nursery,
    testing::wait_all_tasks_blocked,
};

/// Two connected sockets that the library has never seen, in non-blocking mode.
fn strangers() -> std::io::Result<(net::UnixStream, net::UnixStream)> {
    let (a, b) = net::UnixStream::pair()?;
    a.set_nonblocking(true)?;
    b.set_nonblocking(true)?;
    Ok((a, b))
}

/// Writes until no more goes in.
fn fill(mut socket: &net::UnixStream) {
    while socket.write(&[0; 65536]).is_ok() {}
}

/// Reads until nothing is left.
fn drain(mut socket: &net::UnixStream) {
    while socket.read(&mut [0; 65536]).is_ok_and(|n| n > 0) {}
}

#[test]
fn io_01_tasks_wait_for_both_directions_of_one_descriptor() {
    terzetto::run(async {
        let (a, b) = strangers()?;
        fill(&a);
        let order = std::cell::RefCell::new(Vec::new());
        nursery(async |n| {
            n.start_soon(async {
                wait_readable(&a).await?;
                order.borrow_mut().push("readable");
                Ok(())
            });
            n.start_soon(async {
                wait_writable(&a).await?;
                order.borrow_mut().push("writable");
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            assert!(order.borrow().is_empty());
            let statistics = current_statistics();
            assert_eq!((statistics.tasks_waiting_read, statistics.tasks_waiting_write), (1, 1));
            (&b).write_all(b"x")?;
            wait_all_tasks_blocked(0.01).await?;
            assert_eq!(*order.borrow(), ["readable"]);
            drain(&b);
            Ok(())
        })
        .await?;
        assert_eq!(*order.borrow(), ["readable", "writable"]);
        // The answer is about now, not about an event long ago.
        drain(&a);
        let scope = CancelScope::with_timeout(0.01);
        scope.run(async { Ok(wait_readable(&a).await?) }).await?;
        assert!(scope.cancelled_caught());
        let statistics = current_statistics();
        assert_eq!((statistics.tasks_waiting_read, statistics.tasks_waiting_write), (0, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_02_a_second_waiter_of_one_direction_is_refused() {
    terzetto::run(async {
        let (a, b) = strangers()?;
        nursery(async |n| {
            n.start_soon(async { Ok(wait_readable(&a).await?) });
            wait_all_tasks_blocked(0.0).await?;
            assert!(matches!(wait_readable(&a).await, Err(StreamError::Busy(_))));
            wait_writable(&a).await?;
            (&b).write_all(b"x")?;
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn io_03_notify_closing_wakes_the_waiters() {
    terzetto::run(async {
        let (a, _b) = strangers()?;
        fill(&a);
        nursery(async |n| {
            n.start_soon(async {
                assert!(matches!(wait_readable(&a).await, Err(StreamError::Closed)));
                Ok(())
            });
            n.start_soon(async {
                assert!(matches!(wait_writable(&a).await, Err(StreamError::Closed)));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            notify_closing(&a);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn io_04_a_descriptor_closed_without_notice_does_not_disturb_its_successor() {
    use std::os::fd::{AsRawFd, BorrowedFd};
    terzetto::run(async {
        let (a, _b) = strangers()?;
        let number = a.as_raw_fd();
        nursery(async |n| {
            n.start_soon(async move {
                // SAFETY: that the descriptor is closed while it is borrowed is what is tested; the
                // number is used for nothing but asking the system to watch it.
                let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
                let outcome = wait_readable(borrowed).await;
                assert!(matches!(outcome, Err(StreamError::Closed | StreamError::Cancelled(_))));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            drop(a);
            // The system gives the lowest free number: among these is the one that was closed.
            let mut heirs = Vec::new();
            for _ in 0..8 {
                heirs.push(strangers()?);
            }
            for (c, d) in &heirs {
                (&*d).write_all(b"x")?;
                wait_readable(c).await?;
                wait_writable(c).await?;
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn io_05_what_cannot_be_waited_for_is_refused() {
    terzetto::run(async {
        let file = File::open("/proc/self/exe").or_else(|_| File::open("Cargo.toml"))?;
        let Err(StreamError::Io(error)) = wait_readable(&file).await else {
            panic!("a regular file is always ready, and epoll refuses it")
        };
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_06_a_cancelled_wait_leaves_the_descriptor_usable() {
    terzetto::run(async {
        let (a, b) = strangers()?;
        for _ in 0..100 {
            let scope = CancelScope::new();
            nursery(async |n| {
                n.start_soon(async {
                    scope.run(async { Ok(wait_readable(&a).await?) }).await?;
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                scope.cancel();
                Ok(())
            })
            .await?;
            assert!(scope.cancelled_caught());
        }
        (&b).write_all(b"x")?;
        wait_readable(&a).await?;
        Ok(())
    })
    .unwrap();
}
