//! What trio's own tests of its testing tools assert, where `streams.rs` and `testing_kit.rs` do not; and matchers of
//! errors.

use std::{cell::Cell, io, rc::Rc};
use terzetto::{
    Error, ErrorGroup, checkpoint, fail_after,
    io::{
        DescriptorStream, Listener, ReceiveStream, SendStream, StreamError, TcpListener, TcpStream,
        UnixListener, close_forcefully, open_tcp_listeners, pipe,
    },
    move_on_after, nursery,
    testing::{
        Matcher, MemoryReceiveStream, MemorySendStream, assert_checkpoints, check_clogged_stream,
        check_two_way_stream, memory_stream_one_way_pair, memory_stream_pump, open_stream_to_socket_listener,
        wait_all_tasks_blocked,
    },
};
use terzetto_tests::run_mock;

#[test]
fn trio_testing_memory_send_stream_close_hook() {
    run_mock(async {
        let stream = Rc::new(MemorySendStream::new());
        let closes = Rc::new(Cell::new(0));
        let (count, own) = (closes.clone(), Rc::downgrade(&stream));
        stream.on_close(move || {
            count.set(count.get() + 1);
            // It does not call itself.
            if let Some(own) = own.upgrade() {
                own.close_now();
            }
        });
        close_forcefully(&stream).await?;
        stream.close_now();
        stream.close().await?;
        assert_eq!(closes.get(), 3);
        drop(stream);
        assert_eq!(closes.get(), 3, "it was closed already");
        let receiver = MemoryReceiveStream::new();
        let count = closes.clone();
        receiver.on_close(move || count.set(count.get() + 1));
        receiver.close().await?;
        receiver.close().await?;
        assert_eq!(closes.get(), 5);
        let count = closes.clone();
        let receiver = MemoryReceiveStream::new();
        receiver.on_close(move || count.set(count.get() + 1));
        drop(receiver);
        assert_eq!(closes.get(), 6);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_testing_memory_stream_pump() {
    run_mock(async {
        let (sender, receiver) = (MemorySendStream::new(), MemoryReceiveStream::new());
        let mut buffer = [0; 10];
        assert!(!memory_stream_pump(&sender, &receiver, usize::MAX)?);
        sender.send_all(b"123").await?;
        memory_stream_pump(&sender, &receiver, usize::MAX)?;
        assert_eq!(receiver.receive_some(&mut buffer).await?, 3);
        sender.send_all(b"456").await?;
        for more in [true, true, true, false] {
            assert_eq!(memory_stream_pump(&sender, &receiver, 1)?, more);
        }
        sender.close_now();
        memory_stream_pump(&sender, &receiver, usize::MAX)?;
        assert_eq!(receiver.receive_some(&mut buffer).await?, 3);
        assert_eq!(receiver.receive_some(&mut buffer).await?, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_testing_memory_stream_one_way_pair() {
    run_mock(async {
        for close in [false, true] {
            let (sender, receiver) = memory_stream_one_way_pair();
            nursery(async |n| {
                n.start_soon(async {
                    let expected = if close { 0 } else { 3 };
                    assert_eq!(receiver.receive_some(&mut [0; 10]).await?, expected);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                match close {
                    true => sender.close_now(),
                    false => sender.send_all(b"abc").await?,
                }
                Ok(())
            })
            .await?;
        }
        // Without its hook nothing arrives.
        let (sender, receiver) = memory_stream_one_way_pair();
        sender.on_send(async || Ok(()));
        sender.send_all(b"456").await?;
        let received = move_on_after(1.0, async { Ok(receiver.receive_some(&mut [0; 10]).await?) });
        assert!(received.await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_testing_open_stream_to_socket_listener() {
    async fn meets<L: terzetto::testing::SocketListener>(listener: &L) -> Result<(), Error>
    where
        L::Stream: SendStream + ReceiveStream,
    {
        let client = open_stream_to_socket_listener(listener).await?;
        let server = listener.accept().await?;
        client.send_all(b"x").await?;
        assert_eq!(server.receive_some(&mut [0; 4]).await?, 1);
        Ok(())
    }
    terzetto::run(fail_after(60.0, async {
        for host in [None, Some("127.0.0.1")] {
            for listener in open_tcp_listeners(0, host, None).await? {
                meets(&listener).await?;
            }
        }
        let dir = terzetto::fs::TempDir::new().await?;
        meets(&UnixListener::bind(dir.path() / "socket")?).await?;
        let closed = TcpListener::bind(([127, 0, 0, 1], 0))?;
        closed.close().await?;
        assert!(matches!(open_stream_to_socket_listener(&closed).await, Err(StreamError::Closed)));
        Ok(dir.close().await?)
    }))
    .unwrap();
}

#[test]
fn waiting_to_send_waits_at_what_is_full_already() {
    terzetto::run(fail_after(60.0, async {
        // Filled behind our back: nobody here knows it.
        let (reader, mut writer) = io::pipe()?;
        rustix::io::ioctl_fionbio(&writer, true)?;
        while io::Write::write(&mut writer, &[0; 4096]).is_ok() {}
        let sender = terzetto::io::PipeSender::from_fd(writer)?;
        let waits = move_on_after(0.05, async { Ok(sender.wait_send_all_might_not_block().await?) });
        assert!(waits.await?.is_none(), "a pipe");
        let receiver = terzetto::io::PipeReceiver::from_fd(reader)?;
        receiver.receive_some(&mut [0; 65536]).await?;
        assert_checkpoints(sender.wait_send_all_might_not_block()).await?;
        // A socket that is given away full.
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let client = std::net::TcpStream::connect(listener.local_addr()?)?;
        let server = listener.accept().await?;
        client.set_nonblocking(true)?;
        let client = loop {
            while io::Write::write(&mut &client, &[0; 65536]).is_ok() {}
            terzetto::sleep(0.02).await?;
            if io::Write::write(&mut &client, &[0]).is_err() {
                break TcpStream::from_std(client)?;
            }
        };
        let waits = move_on_after(0.05, async { Ok(client.wait_send_all_might_not_block().await?) });
        assert!(waits.await?.is_none(), "a socket");
        nursery(async |n| {
            n.start_soon(async {
                while server.receive_some(&mut [0; 65536]).await? > 0 {}
                Ok(())
            });
            client.wait_send_all_might_not_block().await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        // What it waits for may be that the other side goes.
        let (sender, receiver) = pipe()?;
        drop(receiver);
        sender.wait_send_all_might_not_block().await?;
        Ok(())
    }))
    .unwrap();
}

#[test]
fn a_stream_of_a_descriptor_is_a_stream_in_both_directions() {
    async fn pair() -> Result<(DescriptorStream, DescriptorStream), Error> {
        let (a, b) = std::os::unix::net::UnixStream::pair()?;
        Ok((DescriptorStream::from_fd(a)?, DescriptorStream::from_fd(b)?))
    }
    terzetto::run(async {
        check_two_way_stream(pair).await?;
        check_clogged_stream(async || {
            let (a, b) = pair().await?;
            let much = vec![0; 65536];
            while move_on_after(0.02, async { Ok(a.send_all(&much).await?) }).await?.is_some() {}
            Ok((a, b))
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_unix_pipes_misdirected_aclose_regression() {
    terzetto::run(fail_after(60.0, async {
        let (sender, receiver) = pipe()?;
        sender.close().await?;
        receiver.close().await?;
        // The number is, with any luck, that of the old receiver.
        let (reader, writer) = io::pipe()?;
        let again = DescriptorStream::from_fd(reader)?;
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(again.receive_some(&mut [0; 10]).await?, 0);
                Ok(())
            });
            wait_all_tasks_blocked(0.02).await?;
            receiver.close().await?;
            checkpoint().await?;
            drop(writer);
            Ok(())
        })
        .await
    }))
    .unwrap();
}

fn number() -> Error {
    "x".parse::<u8>().unwrap_err().into()
}

fn missing() -> Error {
    io::Error::from(io::ErrorKind::NotFound).into()
}

fn group(message: &'static str, errors: Vec<Error>) -> Error {
    ErrorGroup::new(message, errors).into()
}

#[test]
fn trio_testing_raises_group_matches_by_type_and_number() {
    let of_number = || Matcher::of::<std::num::ParseIntError>();
    let of_io = Matcher::of::<io::Error>;
    Matcher::group([of_number()]).matches(&group("", vec![number()])).unwrap();
    let both = Matcher::group([of_io(), of_number()]);
    both.matches(&group("", vec![number(), missing()])).unwrap();
    both.matches(&group("", vec![missing(), number()])).unwrap();
    // Too few, too many, another, none.
    for (errors, reason) in [
        (vec![number()], "no member of the group is left for expectation 0"),
        (vec![number(), missing(), number()], "nobody expects these members"),
        (vec![number(), number()], "no member of the group is left for expectation 0"),
        (vec![], "no member"),
    ] {
        let mismatch = both.matches(&group("", errors)).unwrap_err().to_string();
        assert!(mismatch.contains(reason), "{mismatch}");
    }
    // A group is not its only member, and a member not its group.
    assert!(of_number().matches(&group("", vec![number()])).is_err());
    assert!(Matcher::group([of_number()]).matches(&number()).is_err());
    Matcher::cancelled().matches(&number()).unwrap_err();
}

#[test]
fn trio_testing_raises_group_flatten_subgroups() {
    let nested = || group("", vec![group("", vec![number()]), missing()]);
    let of_number = || Matcher::of::<std::num::ParseIntError>();
    let members = || [of_number(), Matcher::any()];
    assert!(Matcher::group(members()).matches(&nested()).is_err());
    Matcher::group(members()).flattened().matches(&nested()).unwrap();
    Matcher::group([Matcher::group([of_number()]), Matcher::any()]).matches(&nested()).unwrap();
}

#[test]
fn trio_testing_raises_group_match_and_check() {
    let error = || group("of three", vec![missing()]);
    Matcher::group([Matcher::any()]).text("of three").matches(&error()).unwrap();
    let mismatch = Matcher::group([Matcher::any()]).text("of two").matches(&error()).unwrap_err();
    assert!(mismatch.to_string().contains("of two") && mismatch.to_string().contains("of three"));
    let is = |kind| Matcher::of_where(move |error: &io::Error| error.kind() == kind);
    is(io::ErrorKind::NotFound).matches(&missing()).unwrap();
    is(io::ErrorKind::Other).matches(&missing()).unwrap_err();
    Matcher::group([is(io::ErrorKind::Other)]).matches(&error()).unwrap_err();
    let of_size = |size| {
        Matcher::group([Matcher::any()]).check(move |error| error.group().unwrap().errors().len() == size)
    };
    of_size(1).matches(&error()).unwrap();
    of_size(2).matches(&error()).unwrap_err();
}

#[test]
fn trio_testing_raises_group_misordering_example() {
    // The first expectation would do for both: it must leave the one to the second that only that one does for.
    let errors = vec![Error::msg("a special one"), Error::msg("any one")];
    Matcher::group([Matcher::any(), Matcher::any().text("special")]).matches(&group("", errors)).unwrap();
}

#[test]
fn a_matcher_matches_what_a_nursery_fails_with() {
    let outcome = run_mock(nursery(async |n| {
        n.start_soon(async { Err(missing()) });
        n.start_soon(async { Err(number()) });
        Ok(())
    }));
    let expected = Matcher::group([
        Matcher::of::<std::num::ParseIntError>(),
        Matcher::of_where(|error: &io::Error| error.kind() == io::ErrorKind::NotFound),
    ]);
    expected.matches(&outcome.unwrap_err()).unwrap();
}
