//! A stream of bytes over a simulated connection: the counterpart of [`FdStream`](crate::io::FdStream).

use crate::{
    checkpoint,
    core::block::reactor::Direction,
    io::{
        StreamError, Turnstile, ensure_room,
        net::simulated::{SimulatedConnection, SimulatedSource},
    },
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
};
use std::{
    cell::Cell,
    io::{self, ErrorKind},
    rc::Rc,
};
#[cfg(feature = "futures-io")]
use std::{
    io::{IoSlice, IoSliceMut},
    task::{Context, Poll},
};

pub(crate) struct SimulatedStream {
    pub(crate) source: SimulatedSource<dyn SimulatedConnection>,
    sending: Turnstile,
    receiving: Turnstile,
    /// Whether the end was sent.
    ended: Cell<bool>,
}

/// As with a socket of the system, the connection must not be used any more after an error.
fn broken(error: StreamError) -> StreamError {
    match error {
        StreamError::Io(error) => StreamError::Broken(Some(error)),
        other => other,
    }
}

impl SimulatedStream {
    pub(crate) fn new(connection: Rc<dyn SimulatedConnection>) -> SimulatedStream {
        SimulatedStream {
            source: SimulatedSource::new(connection),
            sending: Turnstile::default(),
            receiving: Turnstile::default(),
            ended: Cell::new(false),
        }
    }

    /// Waits until the connection is there.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the attempt goes on until this stream is dropped.
    pub(crate) async fn connected(&self) -> Result<(), StreamError> {
        checkpoint_if_cancelled().await?;
        loop {
            self.source.wait(Direction::Write).await?;
            if self.source.get()?.has_connected().map_err(StreamError::Io)? {
                return Ok(());
            }
        }
    }

    pub(crate) async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        ensure_room(buffer)?;
        let _inside = self.receiving.enter("receiving from this stream")?;
        self.source.operate(Direction::Read, |end| end.receive(buffer)).await.map_err(broken)
    }

    fn open_for_sending(&self) -> Result<(), StreamError> {
        match self.ended.get() {
            true => Err(StreamError::Closed),
            false => self.source.get().map(drop),
        }
    }

    pub(crate) async fn send_all(&self, mut data: &[u8]) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        self.open_for_sending()?;
        if data.is_empty() {
            return Ok(checkpoint().await?);
        }
        while !data.is_empty() {
            let sent = self.source.operate(Direction::Write, |end| end.send(data)).await.map_err(broken)?;
            data = &data[sent..];
        }
        Ok(())
    }

    pub(crate) async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        self.source.ready(Direction::Write).await
    }

    pub(crate) async fn send_eof(&self) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        self.source.get()?;
        checkpoint_if_cancelled().await?;
        self.end_now().map_err(|error| StreamError::Broken(Some(error)))?;
        cancel_shielded_checkpoint().await;
        Ok(())
    }

    fn end_now(&self) -> io::Result<()> {
        let end = self.source.get()?;
        if self.ended.replace(true) {
            return Ok(());
        }
        match end.end() {
            // The other side is gone already and need not be told.
            Err(error) if error.kind() != ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(feature = "futures-io")]
impl SimulatedStream {
    /// Receives some bytes into the first buffer that has room.
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<Result<usize, StreamError>> {
        let Some(buffer) = buffers.iter_mut().find(|buffer| !buffer.is_empty()) else {
            return Poll::Ready(Ok(0));
        };
        self.source.poll_operate(cx, Direction::Read, |end| end.receive(buffer))
    }

    /// Sends as many of the bytes of the first buffer with data as possible at once.
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<Result<usize, StreamError>> {
        self.open_for_sending()?;
        let Some(data) = buffers.iter().find(|buffer| !buffer.is_empty()) else {
            return Poll::Ready(Ok(0));
        };
        self.source.poll_operate(cx, Direction::Write, |end| end.send(data))
    }

    /// Ends the sending direction, at once.
    pub(crate) fn send_eof_now(&self) -> io::Result<()> {
        self.end_now()
    }
}
