//! The traits of `futures-io` on sockets and pipes: many buffers at once, and the method `close`, which another
//! trait has, too.

use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::{
    future::poll_fn,
    io::{IoSlice, IoSliceMut},
    pin::Pin,
    rc::Rc,
};
use terzetto::{
    Error, fail_after,
    io::{
        Listener, PipeReceiver, PipeSender, Resource, StapledStream, StreamError, TcpListener, TcpStream,
        UnixStream, pipe,
    },
    nursery,
    testing::wait_all_tasks_blocked,
};

/// More buffers than the system takes in one call: on Linux 1,024.
const MANY: usize = 3000;

async fn tcp_pair() -> Result<(TcpStream, TcpStream), Error> {
    let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    Ok((client, listener.accept().await?))
}

fn numbers() -> Vec<u8> {
    (0..MANY).map(|i| (i % 251) as u8).collect()
}

/// Writes one byte a buffer, with empty ones before and among them.
async fn write_in_bits(writer: &mut (impl AsyncWrite + Unpin), data: &[u8]) -> Result<(), Error> {
    let mut rest = data;
    while !rest.is_empty() {
        let mut buffers = vec![IoSlice::new(&[]); MANY];
        buffers.extend(rest.chunks(1).flat_map(|byte| [IoSlice::new(byte), IoSlice::new(&[])]));
        let n = poll_fn(|cx| Pin::new(&mut *writer).poll_write_vectored(cx, &buffers)).await?;
        assert!(n > 0, "empty buffers at first are no reason to write nothing");
        rest = &rest[n..];
    }
    Ok(())
}

/// Reads into buffers of one byte, with empty ones before and among them.
async fn read_in_bits(reader: &mut (impl AsyncRead + Unpin), length: usize) -> Result<Vec<u8>, Error> {
    let (mut data, mut filled) = (vec![0; length], 0);
    while filled < length {
        let mut buffers: Vec<_> = (0..MANY).map(|_| IoSliceMut::new(&mut [])).collect();
        for byte in data[filled..].chunks_mut(1) {
            buffers.extend([IoSliceMut::new(byte), IoSliceMut::new(&mut [])]);
        }
        let n = poll_fn(|cx| Pin::new(&mut *reader).poll_read_vectored(cx, &mut buffers)).await?;
        assert!(n > 0, "empty buffers at first are not the end");
        filled += n;
    }
    Ok(data)
}

/// Sends in bits and receives in bits; all is there before the first read.
async fn exchange(
    mut writer: impl AsyncWrite + Unpin,
    mut reader: impl AsyncRead + Unpin,
) -> Result<(), Error> {
    fail_after(10.0, async {
        for _ in 0..3 {
            write_in_bits(&mut writer, &numbers()).await?;
            assert!(read_in_bits(&mut reader, MANY).await? == numbers());
        }
        Ok(())
    })
    .await
}

#[test]
fn compat_01_more_buffers_than_the_system_takes_at_once_go_through() {
    terzetto::run(async {
        let (a, b) = tcp_pair().await?;
        exchange(&a, &b).await?;
        // What waited for more is awake again.
        nursery(async |n| {
            n.start_soon(async {
                assert!(read_in_bits(&mut &b, MANY).await? == numbers());
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            fail_after(10.0, write_in_bits(&mut &a, &numbers())).await
        })
        .await?;
        let (a, b) = UnixStream::pair()?;
        exchange(a, b).await?;
        let (a, b) = pipe()?;
        exchange(a, b).await
    })
    .unwrap();
}

#[test]
fn compat_01_buffers_without_room_give_nothing() {
    terzetto::run(async {
        let (mut a, mut b) = tcp_pair().await?;
        a.write_all(b"x").await?;
        for count in [0, 1, MANY] {
            let mut none: Vec<_> = (0..count).map(|_| IoSliceMut::new(&mut [])).collect();
            assert_eq!(b.read_vectored(&mut none).await?, 0);
            assert_eq!(b.write_vectored(&vec![IoSlice::new(&[]); count]).await?, 0);
        }
        let mut byte = [0];
        b.read_exact(&mut byte).await?;
        assert_eq!(&byte, b"x");
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_01_close_is_one_method_with_both_traits_in_scope() {
    terzetto::run(async {
        // By whatever leads to a stream, and by the name of its type.
        let (a, b) = tcp_pair().await?;
        a.close().await?;
        TcpStream::close(&b).await?;
        let (a, b) = UnixStream::pair()?;
        let shared = &a;
        shared.close().await?;
        UnixStream::close(&b).await?;
        let (sender, receiver) = pipe()?;
        Rc::new(sender).close().await?;
        Box::new(receiver).close().await?;
        let (sender, receiver) = pipe()?;
        PipeSender::close(&sender).await?;
        PipeReceiver::close(&receiver).await?;
        let (send_stream, receive_stream) = pipe()?;
        StapledStream { send_stream, receive_stream }.close().await?;

        // All of these close it, and do not only end what it sends.
        let (a, _b) = UnixStream::pair()?;
        let mut boxed = Box::new(a);
        boxed.write_all(b"x").await?;
        boxed.close().await?;
        assert!(matches!(boxed.local_addr(), Err(StreamError::Closed)));
        // The other trait's is there by its name, and through an exclusive reference.
        let (mut a, mut b) = UnixStream::pair()?;
        AsyncWriteExt::close(&mut a).await?;
        let exclusive = &mut b;
        exclusive.close().await?;
        assert!(a.local_addr().is_ok() && b.local_addr().is_ok());
        Resource::close(&a).await?;
        Ok(())
    })
    .unwrap();
}
