//! Streams with no buffer at all: a send ends when all of its data was received. Code that relies on a buffer hangs
//! here.

use crate::{
    Cancelled, checkpoint,
    core::block::wait_queue::WaitQueue,
    io::{ReceiveStream, Resource, SendStream, StapledStream, StreamError, Turnstile, ensure_room},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

struct Lockstep {
    data: RefCell<VecDeque<u8>>,
    sender_closed: Cell<bool>,
    receiver_closed: Cell<bool>,
    receiver_waits: Cell<bool>,
    waiting: Rc<WaitQueue<()>>,
    sending: Turnstile,
    receiving: Turnstile,
}

impl Lockstep {
    fn something_happened(&self) {
        self.waiting.unpark_all(|()| ());
    }

    async fn wait_until(&self, so: impl Fn() -> bool) -> Result<(), Cancelled> {
        while !so() {
            self.waiting.park(()).await.1?;
        }
        checkpoint().await
    }

    fn has_data(&self) -> bool {
        !self.data.borrow().is_empty()
    }
}

/// Takes back the rest of a send's data when the send ends, in whatever way it ends.
struct Withdraw<'a>(&'a Lockstep);

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        self.0.data.borrow_mut().clear();
    }
}

/// The sending end of [`lockstep_stream_one_way_pair`].
pub struct LockstepSendStream(Rc<Lockstep>);

/// The receiving end of [`lockstep_stream_one_way_pair`].
pub struct LockstepReceiveStream(Rc<Lockstep>);

impl LockstepSendStream {
    fn close_now(&self) {
        self.0.sender_closed.set(true);
        self.0.something_happened();
    }
}

impl LockstepReceiveStream {
    fn close_now(&self) {
        self.0.receiver_closed.set(true);
        self.0.something_happened();
    }
}

crate::io::close_inherent!([] LockstepSendStream);

impl Resource for LockstepSendStream {
    async fn close(&self) -> Result<(), StreamError> {
        self.close_now();
        Ok(checkpoint().await?)
    }
}

crate::io::close_inherent!([] LockstepReceiveStream);

impl Resource for LockstepReceiveStream {
    async fn close(&self) -> Result<(), StreamError> {
        self.close_now();
        Ok(checkpoint().await?)
    }
}

impl SendStream for LockstepSendStream {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        let shared = &*self.0;
        let _inside = shared.sending.enter("sending")?;
        if shared.sender_closed.get() {
            return Err(StreamError::Closed);
        }
        if shared.receiver_closed.get() {
            return Err(StreamError::Broken(None));
        }
        let _withdraw = Withdraw(shared);
        shared.data.borrow_mut().extend(data);
        shared.something_happened();
        let closed = || shared.sender_closed.get() || shared.receiver_closed.get();
        shared.wait_until(|| !shared.has_data() || closed()).await?;
        if shared.sender_closed.get() {
            return Err(StreamError::Closed);
        }
        if shared.has_data() {
            return Err(StreamError::Broken(None));
        }
        Ok(())
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        let shared = &*self.0;
        let _inside = shared.sending.enter("sending")?;
        if shared.sender_closed.get() {
            return Err(StreamError::Closed);
        }
        let closed = || shared.sender_closed.get() || shared.receiver_closed.get();
        shared.wait_until(|| shared.receiver_waits.get() || closed()).await?;
        if shared.sender_closed.get() {
            return Err(StreamError::Closed);
        }
        Ok(())
    }
}

/// Notes, when dropped, that no receive waits any more.
struct NoLonger<'a>(&'a Cell<bool>);

impl Drop for NoLonger<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl ReceiveStream for LockstepReceiveStream {
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        ensure_room(buffer)?;
        let shared = &*self.0;
        let _inside = shared.receiving.enter("receiving")?;
        if shared.receiver_closed.get() {
            return Err(StreamError::Closed);
        }
        let waits = NoLonger(&shared.receiver_waits);
        shared.receiver_waits.set(true);
        shared.something_happened();
        let closed = || shared.sender_closed.get() || shared.receiver_closed.get();
        loop {
            shared.wait_until(|| shared.has_data() || closed()).await?;
            if shared.receiver_closed.get() {
                return Err(StreamError::Closed);
            }
            // A send that was cancelled meanwhile has taken its data back. That is not the end of the stream.
            if shared.has_data() || shared.sender_closed.get() {
                break;
            }
        }
        drop(waits);
        let mut data = shared.data.borrow_mut();
        let n = buffer.len().min(data.len());
        for (place, byte) in buffer.iter_mut().zip(data.drain(..n)) {
            *place = byte;
        }
        drop(data);
        shared.something_happened();
        Ok(n)
    }
}

impl Drop for LockstepSendStream {
    fn drop(&mut self) {
        self.close_now();
    }
}

impl Drop for LockstepReceiveStream {
    fn drop(&mut self) {
        self.close_now();
    }
}

impl fmt::Debug for LockstepSendStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockstepSendStream").finish_non_exhaustive()
    }
}

impl fmt::Debug for LockstepReceiveStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockstepReceiveStream").finish_non_exhaustive()
    }
}

/// Two ends without a buffer between them; trio's `lockstep_stream_one_way_pair`. A send ends when all of its data
/// was received.
///
/// ```
/// use terzetto::{io::{ReceiveStream, SendStream}, move_on_after, testing::lockstep_stream_one_way_pair};
/// terzetto::run(async {
///     let (sender, _receiver) = lockstep_stream_one_way_pair();
///     let sent = move_on_after(0.01, async { Ok(sender.send_all(b"nobody listens").await?) }).await?;
///     assert!(sent.is_none());
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn lockstep_stream_one_way_pair() -> (LockstepSendStream, LockstepReceiveStream) {
    let shared = Rc::new(Lockstep {
        data: RefCell::default(),
        sender_closed: Cell::new(false),
        receiver_closed: Cell::new(false),
        receiver_waits: Cell::new(false),
        waiting: WaitQueue::new("a step of a lockstep stream"),
        sending: Turnstile::default(),
        receiving: Turnstile::default(),
    });
    (LockstepSendStream(shared.clone()), LockstepReceiveStream(shared))
}

/// A stream without buffers that goes both ways.
pub type LockstepStream = StapledStream<LockstepSendStream, LockstepReceiveStream>;

/// Two streams joined without buffers between them; trio's `lockstep_stream_pair`.
pub fn lockstep_stream_pair() -> (LockstepStream, LockstepStream) {
    let (send_a, receive_b) = lockstep_stream_one_way_pair();
    let (send_b, receive_a) = lockstep_stream_one_way_pair();
    (
        StapledStream { send_stream: send_a, receive_stream: receive_a },
        StapledStream { send_stream: send_b, receive_stream: receive_b },
    )
}
