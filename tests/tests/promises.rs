//! Sentences of the documentation that promise something of every case, where no other test holds them.

use std::{cell::RefCell, collections::HashSet};
use terzetto::{
    CancelScope, Error, checkpoint, current_task, fail_after,
    io::{SendStream, UdpSocket, UnixDatagram},
    move_on_after, nursery,
    testing::MemorySendStream,
};
use terzetto_tests::run_mock;

/// Runs `work` in a cancelled scope, which must catch the cancellation.
async fn cancelled<T>(work: impl Future<Output = Result<T, Error>>) {
    let scope = CancelScope::new();
    scope.cancel();
    assert!(scope.run(work).await.unwrap().is_none() && scope.cancelled_caught());
}

#[test]
fn sock_06_a_cancelled_operation_on_datagrams_has_sent_and_taken_nothing() {
    terzetto::run(async {
        let home = ([127, 0, 0, 1], 0);
        let (a, b) = (UdpSocket::bind(home)?, UdpSocket::bind(home)?);
        let to = b.local_addr()?;
        a.connect(to)?;
        let mut buffer = [0; 8];
        cancelled(async { Ok(a.send(b"lost").await?) }).await;
        cancelled(async { Ok(a.send_to(b"lost", to).await?) }).await;
        a.send(b"kept").await?;
        cancelled(async { Ok(b.recv(&mut [0; 8]).await?) }).await;
        cancelled(async { Ok(b.recv_from(&mut [0; 8]).await?) }).await;
        let length = fail_after(5.0, async { Ok(b.recv(&mut buffer).await?) }).await?;
        assert_eq!(&buffer[..length], b"kept");
        // Nothing is behind it.
        assert!(move_on_after(0.01, async { Ok(b.recv(&mut buffer).await?) }).await?.is_none());

        let (a, b) = UnixDatagram::pair()?;
        cancelled(async { Ok(a.send(b"lost").await?) }).await;
        a.send(b"kept").await?;
        cancelled(async { Ok(b.recv(&mut [0; 8]).await?) }).await;
        let length = fail_after(5.0, async { Ok(b.recv(&mut buffer).await?) }).await?;
        assert_eq!(&buffer[..length], b"kept");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_unix_datagrams_of_one_sender_come_whole_and_in_order() {
    terzetto::run(async {
        let (a, b) = UnixDatagram::pair()?;
        let a = &a;
        nursery(async |n| {
            // Far more than the system queues.
            n.start_soon(async {
                for i in 0..1_000_u32 {
                    a.send(&i.to_ne_bytes()).await?;
                }
                Ok(())
            });
            for i in 0..1_000_u32 {
                let mut datagram = [0; 8];
                assert_eq!(b.recv(&mut datagram).await?, 4);
                assert_eq!(datagram[..4], i.to_ne_bytes());
            }
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn test_04_a_cancelled_look_into_a_memory_stream_takes_nothing() {
    run_mock(async {
        let stream = MemorySendStream::new();
        stream.send_all(b"kept").await?;
        cancelled(async { Ok(stream.get_data(8).await?) }).await;
        assert_eq!(stream.get_data(8).await?, b"kept");
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_no_two_tasks_of_a_run_have_one_number() {
    run_mock(async {
        let ids = RefCell::new(HashSet::from([current_task().id()]));
        for _ in 0..10 {
            nursery(async |n| {
                for _ in 0..10 {
                    n.start_soon(async {
                        assert!(ids.borrow_mut().insert(current_task().id()));
                        Ok(checkpoint().await?)
                    });
                }
                Ok(())
            })
            .await?;
        }
        assert_eq!(ids.borrow().len(), 101);
        Ok(())
    })
    .unwrap();
}
