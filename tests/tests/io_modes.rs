//! IO-07: the mode of descriptors that others have, too: non-blocking while a stream is open, and then what it was.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use std::{
    fs::File,
    io,
    net::{TcpListener as StdTcpListener, TcpStream as StdTcpStream, UdpSocket as StdUdpSocket},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net,
    },
};
use terzetto::{
    Error,
    io::{
        Listener, PipeReceiver, PipeSender, ReceiveStream, SendStream, TcpListener, TcpStream, UdpSocket,
        UnixDatagram, UnixListener, UnixStream, pipe,
    },
    process::{Command, Stdio, open_process, run_process},
};

fn blocks(fd: impl AsFd) -> bool {
    !fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
}

fn duplicate(fd: impl AsFd) -> OwnedFd {
    fd.as_fd().try_clone_to_owned().unwrap()
}

/// A terminal, and who holds it.
fn terminal() -> io::Result<(File, OwnedFd)> {
    let master = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?.into_string().map_err(io::Error::other)?;
    Ok((File::options().read(true).write(true).open(name)?, master))
}

#[test]
fn io_07_a_terminal_is_left_in_the_mode_in_which_it_was() {
    let (terminal, _master) = terminal().unwrap();
    terzetto::run(async {
        let receiver = PipeReceiver::from_fd(duplicate(&terminal))?;
        assert!(!blocks(&terminal));
        receiver.close().await?;
        assert!(blocks(&terminal), "closing puts it back");
        drop(PipeSender::from_fd(duplicate(&terminal))?);
        assert!(blocks(&terminal), "and so does dropping");
        let scope = terzetto::CancelScope::new();
        scope.cancel();
        let cancelled = PipeSender::from_fd(duplicate(&terminal))?;
        scope.run(async { Ok(cancelled.close().await?) }).await?;
        assert!(blocks(&terminal), "and closing in a cancelled scope");
        let given = PipeSender::from_fd(duplicate(&terminal))?.into_fd()?;
        assert!(blocks(&given), "and giving it up");
        let _until_the_end_of_the_run = PipeReceiver::from_fd(duplicate(&terminal))?;
        assert!(!blocks(&terminal));
        Ok(())
    })
    .unwrap();
    assert!(blocks(&terminal), "a program that has ended leaves the shell's terminal usable");
}

#[test]
fn io_07_streams_that_share_an_open_file_put_its_mode_back_when_the_last_is_closed() {
    terzetto::run(async {
        let (terminal, _master) = terminal()?;
        for first in 0..2 {
            let receiver = PipeReceiver::from_fd(duplicate(&terminal))?;
            let sender = PipeSender::from_fd(duplicate(&terminal))?;
            match first {
                0 => receiver.close().await?,
                _ => sender.close().await?,
            }
            assert!(!blocks(&terminal), "the other one must not block the loop");
            match first {
                0 => sender.close().await?,
                _ => receiver.close().await?,
            }
            assert!(blocks(&terminal));
        }
        // The same file opened twice is two open files, each with a mode of its own.
        let other = File::open(rustix::pty::ptsname(&_master, Vec::new())?.to_str()?)?;
        let (a, b) =
            (PipeReceiver::from_fd(duplicate(&terminal))?, PipeReceiver::from_fd(duplicate(&other))?);
        drop(a);
        assert!(blocks(&terminal) && !blocks(&other));
        drop(b);
        assert!(blocks(&terminal) && blocks(&other));
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_07_what_came_in_non_blocking_mode_stays_in_it() {
    terzetto::run(async {
        let (reader, _writer) = io::pipe()?;
        fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        PipeReceiver::from_fd(duplicate(&reader))?.close().await?;
        assert!(!blocks(&reader));
        assert!(!blocks(PipeReceiver::from_fd(duplicate(&reader))?.into_fd()?));
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_07_sockets_of_all_kinds_are_left_in_the_mode_in_which_they_were() {
    terzetto::run(async {
        let listener = StdTcpListener::bind("127.0.0.1:0")?;
        let client = StdTcpStream::connect(listener.local_addr()?)?;
        let copy = listener.try_clone()?;
        let ours = TcpListener::from_std(listener)?;
        assert!(!blocks(&copy));
        // A connection that it accepts is of its own.
        ours.accept().await?;
        drop(ours);
        assert!(blocks(&copy));

        let copy = client.try_clone()?;
        let ours = TcpStream::from_std(client)?;
        assert!(!blocks(&copy));
        ours.close().await?;
        assert!(blocks(&copy));

        let (a, b) = net::UnixStream::pair()?;
        let ours = UnixStream::from_std(a)?;
        let copy = ours.try_clone_fd()?;
        assert!(!blocks(&copy) && blocks(&b));
        drop(ours);
        assert!(blocks(&copy));

        let socket = StdUdpSocket::bind("127.0.0.1:0")?;
        let copy = socket.try_clone()?;
        drop(UdpSocket::from_std(socket)?);
        assert!(blocks(&copy));

        let (a, _b) = net::UnixDatagram::pair()?;
        let copy = a.try_clone()?;
        drop(UnixDatagram::from_std(a)?);
        assert!(blocks(&copy));

        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
        let path = std::env::temp_dir().join(format!("terzetto-modes-{}", std::process::id()));
        socket.bind(&socket2::SockAddr::unix(&path)?)?;
        std::fs::remove_file(&path)?;
        socket.listen(1)?;
        let copy = socket.try_clone()?;
        drop(UnixListener::from_std(socket.into())?);
        assert!(blocks(&copy));
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_07_what_is_refused_is_left_as_it_was() {
    terzetto::run(async {
        // A stream socket that does not listen.
        let (a, _b) = net::UnixStream::pair()?;
        let copy = a.try_clone()?;
        assert!(UnixListener::from_std(OwnedFd::from(a).into()).is_err());
        assert!(blocks(&copy));
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_07_a_duplicate_of_our_own_pipe_blocks_when_the_stream_is_gone() {
    terzetto::run(async {
        let (sender, receiver) = pipe()?;
        let writer = sender.try_clone_fd()?;
        assert!(!blocks(&writer), "the stream would block the loop");
        let second = PipeSender::from_fd(duplicate(&writer))?;
        drop(sender);
        assert!(!blocks(&writer), "so would the other one");
        drop(second);
        assert!(blocks(&writer));
        assert!(blocks(receiver.into_fd()?));
        let (a, b) = UnixStream::pair()?;
        assert!(blocks(a.into_fd()?));
        b.close().await?;
        assert!(matches!(b.into_fd(), Err(terzetto::io::StreamError::Closed)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_02_a_child_sees_its_standard_streams_in_blocking_mode() {
    terzetto::run(async {
        let (sender, receiver) = pipe()?;
        let socket = UnixStream::pair()?;
        for end in [receiver.into_fd()?, socket.0.into_fd()?] {
            assert!(child_sees(end).await?, "the child's reads wait");
        }
        drop(sender);
        // From one child to the next, more than the pipes hold.
        let much = Command::new("head").args(["-c", "1000000", "/dev/zero"]).stdout(Stdio::Piped);
        let mut first = open_process(much).await?;
        let between = first.stdout.take().unwrap().into_fd()?;
        let mut second =
            open_process(Command::new("cat").stdin(Stdio::from(between)).stdout(Stdio::Piped)).await?;
        let stdout = second.stdout.take().unwrap();
        let (mut total, mut buffer) = (0, [0; 65536]);
        loop {
            match stdout.receive_some(&mut buffer).await? {
                0 => break,
                n => total += n,
            }
        }
        assert_eq!(total, 1_000_000);
        assert!(first.wait().await?.success() && second.wait().await?.success());
        Ok(())
    })
    .unwrap();
}

/// Whether a child that gets `end` as its standard input finds it in blocking mode.
async fn child_sees(end: OwnedFd) -> Result<bool, Error> {
    if !cfg!(target_os = "linux") {
        return Ok(blocks(end));
    }
    let command = Command::new("cat").arg("/proc/self/fdinfo/0").stdin(Stdio::from(end)).capture_stdout();
    let output = String::from_utf8(run_process(command).await?.stdout)?;
    let flags = output.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
    Ok(u32::from_str_radix(flags.trim(), 8)? & OFlags::NONBLOCK.bits() == 0)
}

#[test]
fn stream_03_a_stream_in_use_is_non_blocking_after_another_of_its_open_file_is_closed() {
    terzetto::run(async {
        let (theirs, ours) = net::UnixStream::pair()?;
        let (a, b) = (UnixStream::from_std(ours.try_clone()?)?, UnixStream::from_std(ours)?);
        drop(a);
        // Were it in blocking mode, this would hold up the run for good.
        let waits = terzetto::move_on_after(0.01, async { Ok(b.receive_some(&mut [0; 8]).await?) });
        assert!(waits.await?.is_none());
        b.send_all(b"x").await?;
        drop(theirs);
        Ok(())
    })
    .unwrap();
}
