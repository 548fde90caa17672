//! IO-04 and IO-05: descriptors that the system's queue refuses, or knows under a number that has changed hands.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::net,
    },
};
use terzetto::{
    CancelScope, Error, fail_after,
    io::{
        PipeReceiver, PipeSender, ReceiveStream, SendStream, StreamError, TcpStream, notify_closing,
        wait_readable, wait_writable,
    },
    lowlevel::current_statistics,
    nursery,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};

/// A file without a name.
fn file(text: &str) -> std::io::Result<File> {
    let path = std::env::temp_dir().join(format!(
        "terzetto-ready-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    file.write_all(text.as_bytes())?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

#[cfg(target_os = "linux")]
#[test]
fn io_05_what_the_system_has_no_events_of_is_always_ready() {
    terzetto::run(async {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        for file in [file("text")?, null, File::open("/")?] {
            for _ in 0..3 {
                fail_after(5.0, async {
                    assert_checkpoints(wait_readable(&file)).await?;
                    Ok(assert_checkpoints(wait_writable(&file)).await?)
                })
                .await?;
            }
            let scope = CancelScope::new();
            scope.cancel();
            scope.run(async { Ok(wait_readable(&file).await?) }).await?;
            assert!(scope.cancelled_caught());
            notify_closing(&file);
            wait_readable(&file).await?;
        }
        let statistics = current_statistics();
        assert_eq!((statistics.tasks_waiting_read, statistics.tasks_waiting_write), (0, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_05_a_bad_descriptor_is_refused() {
    terzetto::run(async {
        // SAFETY: the number is used for nothing but asking the system to watch it.
        let bad = unsafe { BorrowedFd::borrow_raw(RawFd::MAX) };
        assert!(matches!(wait_readable(bad).await, Err(StreamError::Io(_))));
        Ok(())
    })
    .unwrap();
}

/// All that a stream gives.
async fn all(stream: &impl ReceiveStream) -> Result<String, Error> {
    let (mut text, mut buffer) = (Vec::new(), [0; 7]);
    loop {
        match assert_checkpoints(stream.receive_some(&mut buffer)).await? {
            0 => return Ok(String::from_utf8(text)?),
            n => text.extend_from_slice(&buffer[..n]),
        }
    }
}

#[test]
fn stream_02_standard_streams_may_be_files() {
    terzetto::run(async {
        // As of `prog < file > other`.
        let (input, mut output) = (file("a text of some length")?, file("")?);
        let receiver = PipeReceiver::from_fd(input)?;
        let text = fail_after(5.0, all(&receiver)).await?;
        assert_eq!(text, "a text of some length");
        let sender = PipeSender::from_fd(output.try_clone()?)?;
        fail_after(5.0, async {
            assert_checkpoints(sender.wait_send_all_might_not_block()).await?;
            Ok(sender.send_all(text.as_bytes()).await?)
        })
        .await?;
        sender.close().await?;
        output.seek(SeekFrom::Start(0))?;
        assert_eq!(std::io::read_to_string(output)?, text);
        // As of `prog < /dev/null > /dev/null`.
        let null = File::options().read(true).write(true).open("/dev/null")?;
        let receiver = PipeReceiver::from_fd(null.try_clone()?)?;
        let sender = PipeSender::from_fd(null)?;
        fail_after(5.0, async {
            assert_eq!(all(&receiver).await?, "");
            sender.wait_send_all_might_not_block().await?;
            Ok(sender.send_all(&[0; 100_000]).await?)
        })
        .await
    })
    .unwrap();
}

/// A duplicate with a number that no other test of this process gets near.
fn far_away(fd: impl AsFd, number: RawFd) -> std::io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, number)?)
}

/// Waits for a number, and is cancelled when the descriptor has been closed without notice.
async fn forget_while_waited_for(fd: OwnedFd) -> Result<RawFd, Error> {
    let number = fd.as_raw_fd();
    nursery(async |n| {
        n.start_soon(async move {
            // SAFETY: that the descriptor is closed while it is borrowed is what is tested; the number is
            // used for nothing but asking the system to watch it.
            let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
            Ok(wait_readable(borrowed).await?)
        });
        wait_all_tasks_blocked(0.0).await?;
        drop(fd);
        n.cancel_scope().cancel();
        Ok(())
    })
    .await?;
    Ok(number)
}

#[test]
fn io_04_a_duplicate_that_comes_back_under_the_number_of_one_that_was_closed_can_be_waited_for() {
    terzetto::run(async {
        let (ours, theirs) = net::UnixStream::pair()?;
        for _ in 0..3 {
            let number = forget_while_waited_for(far_away(&ours, 700)?).await?;
            // The system's queue still knows this number and this socket.
            let back = far_away(&ours, number)?;
            assert_eq!(back.as_raw_fd(), number);
            (&theirs).write_all(b"x")?;
            fail_after(5.0, async {
                wait_readable(&back).await?;
                Ok(wait_writable(&back).await?)
            })
            .await?;
            std::io::Read::read_exact(&mut &ours, &mut [0])?;
            drop(back);

            // The same with a stream of ours.
            let number = forget_while_waited_for(far_away(&ours, 700)?).await?;
            let stream = PipeReceiver::from_fd(far_away(&ours, number)?)?;
            nursery(async |n| {
                n.start_soon(async {
                    assert_eq!(stream.receive_some(&mut [0; 8]).await?, 1);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                Ok((&theirs).write_all(b"x")?)
            })
            .await?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_04_a_file_that_gets_the_number_of_a_socket_is_ready_and_the_other_way_round() {
    terzetto::run(async {
        let (ours, theirs) = net::UnixStream::pair()?;
        let file = file("text")?;
        let fd = far_away(&ours, 750)?;
        let number = fd.as_raw_fd();
        nursery(async |n| {
            n.start_soon(async move {
                // SAFETY: as in `forget_while_waited_for`.
                let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
                assert!(matches!(wait_readable(borrowed).await, Err(StreamError::Closed)));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            drop(fd);
            let heir = far_away(&file, number)?;
            assert_eq!(heir.as_raw_fd(), number);
            fail_after(5.0, async { Ok(wait_readable(&heir).await?) }).await?;
            drop(heir);
            let heir = far_away(&theirs, number)?;
            (&ours).write_all(b"x")?;
            fail_after(5.0, async { Ok(wait_readable(&heir).await?) }).await
        })
        .await
    })
    .unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn stream_02_what_keeps_messages_apart_gives_one_after_the_other() {
    terzetto::run(async {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        // The standard library's type says nothing of what the socket is.
        let stream = TcpStream::from_std(pair.0.into())?;
        let mut theirs = File::from(pair.1);
        for message in ["one", "two", "three"] {
            theirs.write_all(message.as_bytes())?;
        }
        let mut buffer = [0; 64];
        for message in ["one", "two", "three"] {
            let n = fail_after(5.0, async { Ok(stream.receive_some(&mut buffer).await?) }).await?;
            assert_eq!(&buffer[..n], message.as_bytes());
        }
        Ok(())
    })
    .unwrap();
}
