//! PAT-07: at most one event, of the system's operations.
//!
//! Whether both of the system's events reach the loop in one tick depends on the machine. So these tests count: what
//! the winner has, what was handed over, and what can still be had are all that there was, each once.

use super::one_event::{contend, race};
use std::{cell::Cell, io::Write, os::unix::net::UnixStream as StdUnixStream, rc::Rc};
use terzetto::{
    Error, checkpoint, fail_after,
    fs::File,
    io::{Listener, ReceiveStream, SendStream, TcpListener, TcpStream, UdpSocket, UnixStream, wait_readable},
    nursery,
    process::{Command, open_process},
    race::{Finish, first_to_end, revocable},
    sync::CapacityLimiter,
    testing::{memory_stream_pair, wait_all_tasks_blocked},
    to_thread,
};
use terzetto_tests::run_mock;

/// All values that a race returned.
fn values<T>(finish: Finish<T>) -> Vec<T> {
    let others = finish.others.into_iter().map(|(_, value)| value);
    std::iter::once(finish.value).chain(others).collect()
}

async fn receive(stream: &impl ReceiveStream) -> Result<String, Error> {
    let mut buffer = [0; 8];
    let length = stream.receive_some(&mut buffer).await?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

#[test]
fn pat_07_receiving_from_a_socket() {
    for can_be_revoked in [true, false] {
        terzetto::run(async {
            let (ours, theirs) = StdUnixStream::pair()?;
            let (ours_b, theirs_b) = StdUnixStream::pair()?;
            let (a, b) = (UnixStream::from_std(ours)?, UnixStream::from_std(ours_b)?);
            let give = || {
                (&theirs).write_all(b"a").unwrap();
                (&theirs_b).write_all(b"b").unwrap();
            };
            let finish = race(can_be_revoked, receive(&a), receive(&b), give).await?;
            let loser = if finish.index == 0 { &b } else { &a };
            let mut got = values(finish);
            if can_be_revoked {
                assert_eq!(got.len(), 1);
            }
            if got.len() == 1 {
                got.push(fail_after(5.0, receive(loser)).await?);
            }
            got.sort();
            assert_eq!(got, ["a", "b"]);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_receiving_from_a_stream_in_memory() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let ((a, to_a), (b, to_b)) = (memory_stream_pair(), memory_stream_pair());
            nursery(async |n| {
                n.start_soon(async {
                    wait_all_tasks_blocked(0.0).await?;
                    to_a.send_all(b"a").await?;
                    Ok(())
                });
                n.start_soon(async {
                    wait_all_tasks_blocked(0.0).await?;
                    to_b.send_all(b"b").await?;
                    Ok(())
                });
                let racing = first_to_end((
                    contend(can_be_revoked, receive(&a)),
                    contend(can_be_revoked, receive(&b)),
                ));
                let finish = racing.await?;
                let loser = if finish.index == 0 { &b } else { &a };
                let mut got = values(finish);
                if got.len() == 1 {
                    got.push(fail_after(5.0, receive(loser)).await?);
                }
                got.sort();
                assert_eq!(got, ["a", "b"]);
                Ok(())
            })
            .await
        })
        .unwrap();
    }
}

#[test]
fn pat_07_accepting_a_connection() {
    for can_be_revoked in [true, false] {
        terzetto::run(async {
            let (a, b) = (TcpListener::bind(([127, 0, 0, 1], 0))?, TcpListener::bind(([127, 0, 0, 1], 0))?);
            let addresses = (a.local_addr()?, b.local_addr()?);
            let clients = Cell::new(None);
            let give = || {
                let connect = |address| std::net::TcpStream::connect(address).unwrap();
                clients.set(Some((connect(addresses.0), connect(addresses.1))));
            };
            let finish = race(can_be_revoked, a.accept(), b.accept(), give).await?;
            let loser = if finish.index == 0 { &b } else { &a };
            let mut accepted = values(finish);
            if accepted.len() == 1 {
                accepted.push(fail_after(5.0, async { Ok(loser.accept().await?) }).await?);
            } else {
                assert!(!can_be_revoked);
            }
            let clients = clients.take().unwrap();
            let mut expected = [clients.0.local_addr()?, clients.1.local_addr()?];
            let mut peers = [accepted[0].peer_addr()?, accepted[1].peer_addr()?];
            expected.sort();
            peers.sort();
            assert_eq!(peers, expected);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_receiving_a_datagram() {
    for can_be_revoked in [true, false] {
        terzetto::run(async {
            let (a, b) = (UdpSocket::bind(([127, 0, 0, 1], 0))?, UdpSocket::bind(([127, 0, 0, 1], 0))?);
            let (to_a, to_b) = (a.local_addr()?, b.local_addr()?);
            let sender = std::net::UdpSocket::bind("127.0.0.1:0")?;
            let give = || {
                sender.send_to(b"a", to_a).unwrap();
                sender.send_to(b"b", to_b).unwrap();
            };
            let receive = async |socket: &UdpSocket| {
                let mut buffer = [0; 1];
                socket.recv(&mut buffer).await?;
                Ok::<_, Error>(buffer[0])
            };
            let finish = race(can_be_revoked, receive(&a), receive(&b), give).await?;
            let loser = if finish.index == 0 { &b } else { &a };
            let mut got = values(finish);
            if got.len() == 1 {
                got.push(fail_after(5.0, receive(loser)).await?);
            } else {
                assert!(!can_be_revoked);
            }
            got.sort();
            assert_eq!(got, *b"ab");
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_waiting_for_a_descriptor_takes_nothing() {
    for can_be_revoked in [true, false] {
        terzetto::run(async {
            let (ours, theirs) = StdUnixStream::pair()?;
            let give = || (&theirs).write_all(b"x").unwrap();
            race(
                can_be_revoked,
                wait_readable(&ours),
                async { Ok(terzetto::sleep_forever().await.map(drop)?) },
                give,
            )
            .await?;
            fail_after(5.0, async { Ok(wait_readable(&ours).await?) }).await
        })
        .unwrap();
    }
}

#[test]
fn pat_07_waiting_for_a_process_tells_all_who_ask() {
    for can_be_revoked in [true, false] {
        terzetto::run(async {
            let a = open_process(Command::new("sleep").arg("0.02")).await?;
            let b = open_process(Command::new("sleep").arg("0.02")).await?;
            let finish = race(can_be_revoked, a.wait(), b.wait(), || ()).await?;
            assert!(finish.value.success());
            for process in [a, b] {
                assert!(fail_after(5.0, async { process.wait().await }).await?.success());
            }
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_reading_from_a_file() {
    for can_be_revoked in [true, false] {
        terzetto::run(async {
            let folder = terzetto::fs::TempDir::new().await?;
            let mut files = Vec::new();
            for name in ["a", "b"] {
                let path = folder.path().join(name);
                std::fs::write(&path, name.repeat(4))?;
                files.push(File::open(path).await?);
            }
            let read = async |file: &File| {
                let mut buffer = [0; 2];
                let length = file.read(&mut buffer).await?;
                Ok::<_, Error>(String::from_utf8_lossy(&buffer[..length]).into_owned())
            };
            let finish = race(can_be_revoked, read(&files[0]), read(&files[1]), || ()).await?;
            let mut all = values(finish);
            for file in &files {
                all.push(file.read_to_string().await?);
            }
            // Each byte is somewhere, and in its order within its file.
            let all = all.concat();
            assert_eq!((all.matches('a').count(), all.matches('b').count()), (4, 4), "{all}");
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_a_turn_in_a_thread() {
    for can_be_revoked in [true, false] {
        terzetto::run(async {
            let limiter = CapacityLimiter::new(0);
            let job = |value| to_thread::options().limiter(&limiter).run_sync(move || value);
            let finish = race(can_be_revoked, job("a"), job("b"), || limiter.set_total_tokens(1)).await?;
            // One place: the other one waits for its turn, or has it when the race is decided.
            assert_eq!(finish.value, ["a", "b"][finish.index]);
            assert!(finish.others.is_empty() || !can_be_revoked);
            fail_after(5.0, async {
                // A job that was dropped while a thread worked on it gives its place back when the thread is done.
                while limiter.borrowed_tokens() > 0 {
                    terzetto::sleep(0.001).await?;
                }
                Ok(())
            })
            .await
        })
        .unwrap();
    }
}

#[test]
fn pat_07_connecting() {
    // A connection that loses is closed: the other side sees its end.
    terzetto::run(fail_after(10.0, async {
        let listener = Rc::new(TcpListener::bind(([127, 0, 0, 1], 0))?);
        let address = listener.local_addr()?;
        let connect = || async { Ok(revocable(TcpStream::connect(address)).await??) };
        let finish = first_to_end((connect(), connect())).await?;
        let kept = finish.value.local_addr()?;
        drop(finish.others);
        checkpoint().await?;
        // Whoever was accepted and is not the winner has ended.
        for _ in 0..2 {
            let accepted = terzetto::move_on_after(0.05, async { Ok(listener.accept().await?) }).await?;
            if let Some(stream) = accepted.filter(|stream| stream.peer_addr().ok() != Some(kept)) {
                assert_eq!(stream.receive_some(&mut [0; 1]).await.unwrap_or(0), 0);
            }
        }
        Ok(())
    }))
    .unwrap();
}
