//! What every method keeps to: checkpoints, one task at a time in each direction, the transport's word.

use super::*;
use std::cell::Cell;
use terzetto::{
    io::{ReceiveStream, Resource, SendStream, StreamError},
    testing::{
        MemorySendStream, assert_checkpoints, lockstep_stream_pair, memory_stream_one_way_pair,
        wait_all_tasks_blocked,
    },
};
use terzetto_tests::run_mock;

#[test]
fn trio_ssl_resource_busy_errors() {
    let configs = configs(&[]);
    run_mock(async {
        for (first, second) in [("send", "send"), ("receive", "receive"), ("send", "wait"), ("wait", "wait")]
        {
            let (stream, _other) = over(&configs, lockstep_stream_pair())?;
            let act = async |what| match what {
                "send" => stream.send_all(b"x").await,
                "receive" => stream.receive_some(&mut [0; 1]).await.map(drop),
                _ => stream.wait_send_all_might_not_block().await,
            };
            nursery(async |n| {
                n.start_soon(async { Ok(act(first).await?) });
                wait_all_tasks_blocked(0.0).await?;
                assert!(matches!(act(second).await, Err(StreamError::Busy(_))), "{first}, {second}");
                n.cancel_scope().cancel();
                Ok(())
            })
            .await?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_checkpoints_and_send_all_empty_string() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = shaken(fresh(&configs)?).await?;
        assert_checkpoints(client.handshake()).await?;
        assert_checkpoints(client.wait_send_all_might_not_block()).await?;
        for data in [&b"xxx"[..], b"", b"x"] {
            assert_checkpoints(client.send_all(data)).await?;
        }
        let mut buffer = [0; 1];
        for _ in 0..4 {
            assert_eq!(assert_checkpoints(server.receive_some(&mut buffer)).await?, 1);
        }
        // Nothing was sent for nothing.
        nursery(async |n| {
            n.start_soon(async { Ok(client.close().await?) });
            assert_eq!(assert_checkpoints(server.receive_some(&mut buffer)).await?, 0);
            Ok(())
        })
        .await?;
        assert_checkpoints(server.close()).await?;
        // Before the handshake nothing is a checkpoint, too.
        let (client, _server) = fresh(&configs)?;
        assert_checkpoints(client.send_all(b"")).await?;
        Ok(())
    })
    .unwrap();
}

/// A transport that notes what it is asked.
struct Noting(MemorySendStream, Cell<bool>);

impl Resource for Noting {
    async fn close(&self) -> Result<(), StreamError> {
        self.0.close().await
    }
}

impl SendStream for Noting {
    async fn send_all(&self, _: &[u8]) -> Result<(), StreamError> {
        unreachable!("nothing is sent")
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        self.1.set(true);
        self.0.wait_send_all_might_not_block().await
    }
}

impl ReceiveStream for Noting {
    async fn receive_some(&self, _: &mut [u8]) -> Result<usize, StreamError> {
        unreachable!("nothing is received")
    }
}

#[test]
fn trio_ssl_wait_writable_calls_underlying_wait_writable() {
    let configs = configs(&[]);
    run_mock(async {
        let noting = || Noting(memory_stream_one_way_pair().0, Cell::new(false));
        let (client, _) = over(&configs, (noting(), noting()))?;
        client.wait_send_all_might_not_block().await?;
        assert!(client.get_ref().1.get());
        Ok(())
    })
    .unwrap();
}
