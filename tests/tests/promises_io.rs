//! Sentences of the documentation of files, sockets, processes and bridges that promise something of every case, where
//! no other test holds them.

use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt, poll};
use std::{
    collections::HashSet,
    io::SeekFrom,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    thread,
};
use terzetto::{
    CancelScope, Error,
    compat::FuturesIo,
    fail_after,
    fs::{self, BufReader, File, FileError, TempDir, TempFile},
    io::{
        ReceiveStream, StreamError, TcpStream, UdpSocket, UnixDatagram, UnixStream, getaddrinfo,
        open_tcp_listeners, serve_listeners,
    },
    lowlevel::start_thread_soon,
    nursery,
    process::{Command, Process, supervise},
    signal::{Signal, open_signal_receiver},
    sleep,
    testing::{lockstep_stream_pair, memory_stream_pair, wait_all_tasks_blocked},
};
use terzetto_tests::{begin, in_a_child, run_mock};

/// Runs `work` in a cancelled scope, which must catch the cancellation.
async fn cancelled<T>(work: impl Future<Output = Result<T, Error>>) {
    let scope = CancelScope::new();
    scope.cancel();
    assert!(scope.run(work).await.unwrap().is_none() && scope.cancelled_caught());
}

/// Asks for something in a cancelled region.
async fn refused<T>(work: impl Future<Output = Result<T, FileError>>) {
    cancelled(async { Ok(work.await?) }).await;
}

#[test]
fn file_02_what_is_asked_for_in_a_cancelled_region_is_not_done() {
    terzetto::run(async {
        let dir = TempDir::new().await?;
        let (old, new) = (&(dir.path() / "old"), &(dir.path() / "new"));
        let folder = &(dir.path() / "folder");
        old.write("kept").await?;
        fs::create_dir(folder).await?;
        let private = fs::metadata(old).await?.permissions();
        let mut open = private.clone();
        open.set_readonly(!open.readonly());

        refused(fs::write(old, "x")).await;
        refused(fs::write(new, "x")).await;
        refused(fs::copy(old, new)).await;
        refused(fs::rename(old, new)).await;
        refused(fs::hard_link(old, new)).await;
        refused(fs::symlink(old, new)).await;
        refused(fs::create_dir(new)).await;
        refused(fs::create_dir_all(new)).await;
        refused(fs::remove_file(old)).await;
        refused(fs::remove_dir(folder)).await;
        refused(fs::remove_dir_all(folder)).await;
        refused(fs::set_permissions(old, open)).await;
        refused(fs::read(old)).await;
        refused(fs::read_to_string(old)).await;
        refused(fs::read_link(old)).await;
        refused(fs::canonicalize(old)).await;
        refused(fs::metadata(old)).await;
        refused(fs::symlink_metadata(old)).await;
        refused(fs::try_exists(old)).await;
        refused(fs::read_dir(folder)).await;
        refused(File::open(old)).await;
        refused(File::create(old)).await;
        refused(File::create_new(new)).await;
        refused(TempDir::new()).await;
        refused(TempFile::new()).await;

        let file = File::options().read(true).write(true).open(old).await?;
        refused(file.write_all("x")).await;
        refused(file.set_len(0)).await;
        refused(file.seek(SeekFrom::End(0))).await;
        refused(file.read_to_end()).await;

        assert!(fs::metadata(folder).await?.is_dir());
        assert!(!fs::try_exists(new).await?);
        assert_eq!(fs::metadata(old).await?.permissions(), private);
        assert_eq!(file.read_to_string().await?, "kept");
        Ok(dir.close().await?)
    })
    .unwrap();
}

#[test]
fn file_what_asks_the_system_panics_outside_a_run_and_what_looks_at_names_does_not() {
    let panics = |work: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(work)).is_err();
    assert!(panics(&mut || drop(fs::metadata("/").now_or_never())));
    assert!(panics(&mut || drop(File::open("/").now_or_never())));
    assert!(panics(&mut || drop(fs::read_dir("/").now_or_never())));
    assert!(panics(&mut || drop(TempDir::new().now_or_never())));
    assert_eq!(fs::Path::new("/a").parent(), Some(fs::Path::new("/")));
    let _options = File::options().read(true);
}

#[test]
fn file_01_a_read_takes_at_most_a_mebibyte() {
    terzetto::run(async {
        let dir = TempDir::new().await?;
        let path = &(dir.path() / "large");
        path.write(vec![7; (1 << 20) + 5]).await?;
        let file = File::open(path).await?;
        let mut buffer = vec![0; 1 << 21];
        assert_eq!(file.read(&mut buffer).await?, 1 << 20);
        assert_eq!(file.read(&mut buffer).await?, 5);
        Ok(dir.close().await?)
    })
    .unwrap();
}

#[test]
fn file_01_two_descriptors_of_one_file_share_their_place() {
    terzetto::run(async {
        let dir = TempDir::new().await?;
        let path = &(dir.path() / "f");
        path.write("abcdef").await?;
        let file = File::open(path).await?;
        let mut other = file.try_clone_std().await?;
        assert_eq!(file.read(&mut [0; 2]).await?, 2);
        assert_eq!(std::io::Seek::stream_position(&mut other)?, 2);
        Ok(dir.close().await?)
    })
    .unwrap();
}

#[test]
fn file_01_a_file_out_of_its_reader_stands_behind_what_was_read_ahead() {
    terzetto::run(async {
        let dir = TempDir::new().await?;
        let path = &(dir.path() / "f");
        path.write("one\ntwo\nthree\n").await?;
        let mut lines = BufReader::new(File::open(path).await?);
        assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
        // The whole of it was read for the first line.
        assert_eq!(lines.into_inner().read_to_string().await?, "");
        Ok(dir.close().await?)
    })
    .unwrap();
}

#[test]
fn sock_06_a_cancelled_operation_on_unix_datagrams_with_names_has_sent_and_taken_nothing() {
    terzetto::run(async {
        let dir = TempDir::new().await?;
        let path = dir.path() / "socket";
        let (a, b) = (UnixDatagram::unbound()?, UnixDatagram::bind(&path)?);
        let mut buffer = [0; 8];
        cancelled(async { Ok(a.send_to(b"lost", &path).await?) }).await;
        a.send_to(b"kept", &path).await?;
        cancelled(async { Ok(b.recv_from(&mut [0; 8]).await?) }).await;
        let length = fail_after(5.0, async { Ok(b.recv_from(&mut buffer).await?) }).await?.0;
        assert_eq!(&buffer[..length], b"kept");
        Ok(dir.close().await?)
    })
    .unwrap();
}

#[test]
fn sock_06_what_does_not_fit_of_a_datagram_is_lost_and_the_next_one_is_whole() {
    terzetto::run(async {
        let home = ([127, 0, 0, 1], 0);
        let (a, b) = (UdpSocket::bind(home)?, UdpSocket::bind(home)?);
        a.connect(b.local_addr()?)?;
        let (c, d) = UnixDatagram::pair()?;
        for datagram in [b"long one", b"the next"] {
            a.send(datagram).await?;
            c.send(datagram).await?;
        }
        let (mut short, mut long) = ([0; 4], [0; 16]);
        assert_eq!(b.recv(&mut short).await?, 4);
        assert_eq!(&short, b"long");
        assert_eq!(b.recv(&mut long).await?, 8);
        assert_eq!(&long[..8], b"the next");
        assert_eq!(d.recv(&mut short).await?, 4);
        assert_eq!(&short, b"long");
        assert_eq!(d.recv_from(&mut long).await?.0, 8);
        assert_eq!(&long[..8], b"the next");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_the_second_who_waits_at_a_datagram_socket_is_refused_and_the_first_goes_on() {
    terzetto::run(async {
        let home = ([127, 0, 0, 1], 0);
        let (a, b) = (UdpSocket::bind(home)?, UdpSocket::bind(home)?);
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(b.recv_from(&mut [0; 8]).await?, (1, a.local_addr()?));
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            let refused = fail_after(5.0, async { Ok(b.recv_from(&mut [0; 8]).await) }).await?;
            assert!(matches!(refused, Err(StreamError::Busy(_))), "{refused:?}");
            a.send_to(b"x", b.local_addr()?).await?;
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sock_01_no_address_of_a_host_comes_twice() {
    terzetto::run(async {
        for host in ["localhost", "127.0.0.1", "::1"] {
            let found = getaddrinfo(host, 80).await?;
            assert_eq!(HashSet::<_>::from_iter(&found).len(), found.len(), "{found:?}");
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_05_a_supervised_process_that_is_detached_ends_with_its_supervisor() {
    terzetto::run(async {
        let mut pid = 0;
        let start = std::time::Instant::now();
        nursery(async |n| {
            let process: Process =
                n.start(|status| supervise(Command::new("sleep").arg("600"), status)).await?;
            pid = process.pid();
            process.detach();
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert!(start.elapsed().as_secs() < 60);
        let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
        assert!(rustix::process::test_kill_process(pid).is_err(), "it is gone");
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_in_a_cancelled_region_writes_fail_and_send_nothing() {
    terzetto::run(async {
        let (mut a, b) = UnixStream::pair()?;
        cancelled(async { Ok(AsyncWriteExt::write(&mut a, b"lost").await?) }).await;
        assert_eq!(AsyncWriteExt::write(&mut a, b"kept").await?, 4);
        let mut buffer = [0; 16];
        assert_eq!(b.receive_some(&mut buffer).await?, 4);
        assert_eq!(&buffer[..4], b"kept");

        // An adaptor may take it over. Then flushing fails.
        let (a, b) = memory_stream_pair();
        let mut adaptor = FuturesIo::new(a);
        cancelled(async {
            adaptor.write_all(b"lost").await?;
            Ok(adaptor.flush().await?)
        })
        .await;
        cancelled(async { Ok(adaptor.read(&mut [0]).await?) }).await;
        drop(adaptor);
        assert_eq!(b.receive_some(&mut buffer).await?, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_03_what_the_adaptor_has_received_is_read_in_a_cancelled_region_too() {
    run_mock(async {
        let (a, b) = memory_stream_pair();
        let (mut writer, mut reader) = (FuturesIo::new(a), FuturesIo::new(b));
        writer.write_all(b"ab").await?;
        writer.flush().await?;
        let mut byte = [0];
        assert_eq!(reader.read(&mut byte).await?, 1);
        let scope = CancelScope::new();
        scope.cancel();
        let read = scope.run(async { Ok(reader.read(&mut byte).await?) }).await?;
        assert_eq!((read, &byte), (Some(1), b"b"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_03_what_was_flushed_is_not_lost_with_the_adaptor() {
    terzetto::run(async {
        let (a, b) = UnixStream::pair()?;
        let mut writer = FuturesIo::new(a);
        writer.write_all(b"kept").await?;
        writer.flush().await?;
        // Amid an operation: there is more than the system takes.
        let mut more = Box::pin(writer.write_all(&[0; 1 << 22]));
        begin(&mut more).await;
        drop(more);
        drop(writer);
        let mut buffer = [0; 4];
        assert_eq!(b.receive_some(&mut buffer).await?, 4);
        assert_eq!(&buffer, b"kept");
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_03_a_write_that_is_cancelled_half_way_makes_later_ones_fail() {
    run_mock(async {
        let (a, b) = lockstep_stream_pair();
        let mut writer = FuturesIo::new(a);
        let scope = CancelScope::new();
        let outcome = scope.run(async {
            writer.write_all(b"half of it").await?;
            let mut flush = pin!(writer.flush());
            assert!(poll!(&mut flush).is_pending());
            assert_eq!(b.receive_some(&mut [0; 4]).await?, 4);
            scope.cancel();
            Ok(flush.await?)
        });
        assert!(outcome.await?.is_none() && scope.cancelled_caught());
        assert!(writer.write_all(b"more").await.is_err());
        Ok(())
    })
    .unwrap();
}

#[test]
fn sig_01_signals_come_in_the_order_in_which_the_loop_has_noticed_them() {
    terzetto::run(async {
        let signals = open_signal_receiver(&[Signal::HUP, Signal::USR2, Signal::WINCH])?;
        let raise = |signal: Signal| signal_hook::low_level::raise(signal.number());
        // One after the other: the loop looks in between.
        raise(Signal::WINCH)?;
        sleep(0.01).await?;
        raise(Signal::HUP)?;
        sleep(0.01).await?;
        // Together, by their numbers.
        raise(Signal::WINCH)?;
        raise(Signal::USR2)?;
        raise(Signal::USR2)?;
        sleep(0.01).await?;
        assert_eq!(signals.pending(), 3, "of each kind there is one");
        for expected in [Signal::WINCH, Signal::HUP, Signal::USR2] {
            assert_eq!(signals.receive().await?, expected);
        }
        raise(Signal::WINCH)?;
        raise(Signal::USR2)?;
        for expected in [Signal::USR2, Signal::WINCH] {
            assert_eq!(fail_after(5.0, async { Ok(signals.receive().await?) }).await?, expected);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn sig_04_ctrl_c_goes_to_the_run_that_was_the_first_to_start_when_nobody_handled_it() {
    if !in_a_child("sig_04_ctrl_c_goes_to_the_run_that_was_the_first_to_start_when_nobody_handled_it") {
        return;
    }
    let over = &AtomicBool::new(false);
    let raise = || signal_hook::low_level::raise(Signal::INT.number()).unwrap();
    thread::scope(|threads| {
        let run_that_has_started = || {
            let (started, has_started) = mpsc::channel();
            let run = threads.spawn(move || {
                terzetto::run(async {
                    started.send(())?;
                    while !over.load(SeqCst) {
                        sleep(0.01).await?;
                    }
                    Ok(())
                })
            });
            has_started.recv().unwrap();
            run
        };
        let [first, second] = [run_that_has_started(), run_that_has_started()];
        raise();
        assert!(first.join().unwrap().unwrap_err().is_interrupted());
        // Nobody handles it now, so it is the next one's.
        let third = run_that_has_started();
        raise();
        assert!(third.join().unwrap().unwrap_err().is_interrupted());
        over.store(true, SeqCst);
        second.join().unwrap().unwrap();
    });
}

#[test]
fn sock_04_a_server_that_is_cancelled_has_closed_its_listeners() {
    terzetto::run(async {
        let mut kept = None;
        nursery(async |n| {
            let listeners = n
                .start(async |status| {
                    let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
                    serve_listeners(listeners, async |_: TcpStream| Ok(()), status).await
                })
                .await?;
            let at = listeners[0].local_addr()?;
            TcpStream::connect(at).await?;
            // Whoever still has them changes nothing.
            kept = Some((at, listeners));
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        let (at, _listeners) = kept.unwrap();
        let refused = TcpStream::connect(at).await;
        assert!(matches!(refused, Err(StreamError::Io(_))), "{refused:?}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_06_without_a_thread_neither_the_function_nor_its_delivery_is_called() {
    const NAME: &str = "thread_06_without_a_thread_neither_the_function_nor_its_delivery_is_called";
    const STACK: &str = "RUST_MIN_STACK";
    let no_machine_has_room = (1_u64 << 60).to_string();
    if std::env::var(STACK).is_ok_and(|size| size == no_machine_has_room) {
        let called = Arc::new(AtomicBool::new(false));
        let (work, deliver) = (called.clone(), called.clone());
        let outcome =
            start_thread_soon(move || work.store(true, SeqCst), move |_| deliver.store(true, SeqCst));
        assert!(outcome.is_err());
        assert!(Arc::strong_count(&called) == 1 && !called.load(SeqCst));
        println!("it was tried");
        return;
    }
    // The size of stacks is read once in a process.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
        .env(STACK, no_machine_has_room)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("it was tried"), "{output:?}");
}
