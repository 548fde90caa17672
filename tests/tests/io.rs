//! IO: waiting for descriptors, our own among them when they give less than there is.

use std::{
    io::{Read, Write},
    os::{fd::AsFd, unix::net},
};
use terzetto::{
    CancelScope, Error,
    io::{
        PipeReceiver, ReceiveStream, StreamError, TcpStream, UnixStream, notify_closing, wait_readable,
        wait_writable,
    },
    lowlevel::current_statistics,
    move_on_after, nursery, sleep,
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

/// Receives until `wanted` has come; fails if it takes too long.
async fn expect(stream: &impl ReceiveStream, wanted: &[u8]) -> Result<(), Error> {
    let mut got = Vec::new();
    let receiving = async {
        while got.len() < wanted.len() {
            let mut buffer = [0; 64];
            match stream.receive_some(&mut buffer).await? {
                0 => break,
                n => got.extend_from_slice(&buffer[..n]),
            }
        }
        Ok(())
    };
    move_on_after(5.0, receiving).await?;
    assert_eq!(got.escape_ascii().to_string(), wanted.escape_ascii().to_string());
    Ok(())
}

#[test]
fn stream_02_a_terminal_gives_one_line_at_a_time_and_then_the_next() {
    terzetto::run(async {
        let master = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?.into_string()?;
        let terminal = std::fs::File::options().read(true).write(true).open(name)?;
        let lines = PipeReceiver::from_fd(terminal)?;
        let mut keyboard = std::fs::File::from(master);
        keyboard.write_all(b"one\ntwo\nthree\n")?;
        expect(&lines, b"one\ntwo\nthree\n").await
    })
    .unwrap();
}

#[test]
fn stream_02_a_read_that_stops_at_a_passed_descriptor_goes_on() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    terzetto::run(async {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        for _ in 0..2 {
            let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut passed = SendAncillaryBuffer::new(&mut space);
            let fds = [theirs.as_fd()];
            assert!(passed.push(SendAncillaryMessage::ScmRights(&fds)));
            let data = [std::io::IoSlice::new(b"with, ")];
            sendmsg(&theirs, &data, &mut passed, SendFlags::empty())?;
        }
        (&theirs).write_all(b"and without")?;
        expect(&UnixStream::from_std(ours)?, b"with, with, and without").await
    })
    .unwrap();
}

#[test]
fn stream_02_a_read_that_stops_at_urgent_data_goes_on() {
    terzetto::run(async {
        for early in [false, true] {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
            let theirs = socket2::Socket::from(std::net::TcpStream::connect(listener.local_addr()?)?);
            theirs.set_tcp_nodelay(true)?;
            let stream = TcpStream::from_std(listener.accept()?.0)?;
            if early {
                // It is waited for when it comes.
                theirs.send(b"first, ")?;
                expect(&stream, b"first, ").await?;
            }
            theirs.send(b"before, ")?;
            theirs.send_out_of_band(b"!")?;
            theirs.send(b"behind")?;
            sleep(0.01).await?;
            expect(&stream, b"before, behind").await?;
        }
        Ok(())
    })
    .unwrap();
}
