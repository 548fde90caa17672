//! The two ends of a stream in memory. A test can use each end alone, and play the other side itself.

use crate::{
    Cancelled, checkpoint,
    io::{ReceiveStream, Resource, SendStream, StreamError, Turnstile, ensure_room},
    testing::streams::queue::ByteQueue,
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
};

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, StreamError>>>>;
type Hook<A, T> = RefCell<Option<Rc<dyn Fn(A) -> Answer<T>>>>;
type CloseHook = RefCell<Option<Rc<dyn Fn()>>>;

/// Calls an async hook. Nothing is borrowed while it runs.
async fn call<A, T>(hook: &Hook<A, T>, argument: A, otherwise: T) -> Result<T, StreamError> {
    let hook = hook.borrow().clone();
    match hook {
        Some(hook) => hook(argument).await,
        None => Ok(otherwise),
    }
}

/// Calls the hook for a close, unless the hook itself closes the stream. Nothing is borrowed while it runs.
fn call_close_hook(place: &CloseHook) {
    let hook = place.take();
    if let Some(hook) = hook {
        hook();
        // The hook is put back, unless it has set another one.
        place.borrow_mut().get_or_insert(hook);
    }
}

/// Executes two checkpoints. So if a second task makes the same call meanwhile, which is a mistake, it is noticed.
async fn twice() -> Result<(), Cancelled> {
    checkpoint().await?;
    checkpoint().await
}

/// A sending stream that keeps the sent data, so that the test can look at it; trio's `MemorySendStream`.
///
/// Hooks see each call, and can delay it or make it fail:
///
/// ```
/// use terzetto::{io::{SendStream, StreamError}, testing::MemorySendStream};
/// terzetto::run(async {
///     let stream = MemorySendStream::new();
///     stream.send_all(b"one").await?;
///     stream.on_send(async || Err(StreamError::Broken(None)));
///     assert!(stream.send_all(b"two").await.is_err());
///     assert_eq!(stream.get_data_nowait(usize::MAX).unwrap(), b"onetwo");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct MemorySendStream {
    pub(super) outgoing: Rc<ByteQueue>,
    sending: Turnstile,
    on_send: Hook<(), ()>,
    on_wait: Hook<(), ()>,
    on_close: CloseHook,
    closed: Cell<bool>,
}

impl Default for MemorySendStream {
    fn default() -> Self {
        MemorySendStream::new()
    }
}

impl MemorySendStream {
    /// A stream without hooks: sending never waits.
    pub fn new() -> MemorySendStream {
        MemorySendStream {
            outgoing: ByteQueue::new(),
            sending: Turnstile::default(),
            on_send: RefCell::default(),
            on_wait: RefCell::default(),
            on_close: RefCell::default(),
            closed: Cell::new(false),
        }
    }

    /// Sets a hook, which runs at the end of each `send_all`, after the data was stored.
    pub fn on_send<F>(&self, hook: impl Fn() -> F + 'static)
    where
        F: Future<Output = Result<(), StreamError>> + 'static,
    {
        *self.on_send.borrow_mut() = Some(Rc::new(move |()| Box::pin(hook())));
    }

    /// Sets a hook, which runs in each `wait_send_all_might_not_block`.
    pub fn on_wait<F>(&self, hook: impl Fn() -> F + 'static)
    where
        F: Future<Output = Result<(), StreamError>> + 'static,
    {
        *self.on_wait.borrow_mut() = Some(Rc::new(move |()| Box::pin(hook())));
    }

    /// Sets a hook, which is called each time that the stream is closed, even if it is closed already. If the stream
    /// was not closed before it is dropped, the hook is called then. If the hook itself closes the stream, it is not
    /// called again for that.
    pub fn on_close(&self, hook: impl Fn() + 'static) {
        *self.on_close.borrow_mut() = Some(Rc::new(hook));
    }

    /// Takes out up to `limit` bytes of the sent data. It waits until there is data. The result is empty if the
    /// stream is closed and no data is left.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, no data is lost.
    ///
    /// # Errors
    /// It fails if it is cancelled, or if another task is in a call of this function.
    pub async fn get_data(&self, limit: usize) -> Result<Vec<u8>, StreamError> {
        self.outgoing.get(limit).await
    }

    /// As [`MemorySendStream::get_data`], but does not wait. It returns `None` if there is no data.
    pub fn get_data_nowait(&self, limit: usize) -> Option<Vec<u8>> {
        self.outgoing.get_nowait(limit)
    }

    /// Closes the stream without a checkpoint.
    pub fn close_now(&self) {
        self.closed.set(true);
        self.outgoing.close();
        call_close_hook(&self.on_close);
    }
}

crate::io::close_inherent!([] MemorySendStream);

impl Resource for MemorySendStream {
    async fn close(&self) -> Result<(), StreamError> {
        self.close_now();
        Ok(checkpoint().await?)
    }
}

impl SendStream for MemorySendStream {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending")?;
        twice().await?;
        self.outgoing.put(data)?;
        call(&self.on_send, (), ()).await
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending")?;
        twice().await?;
        if self.closed.get() {
            return Err(StreamError::Closed);
        }
        call(&self.on_wait, (), ()).await
    }
}

impl Drop for MemorySendStream {
    fn drop(&mut self) {
        if !self.closed.get() {
            self.close_now();
        }
    }
}

impl fmt::Debug for MemorySendStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySendStream").field("closed", &self.closed.get()).finish_non_exhaustive()
    }
}

/// A receiving stream that the test feeds; trio's `MemoryReceiveStream`.
///
/// Its hook sees each call, and can delay it, make it fail or make the read short:
///
/// ```
/// use terzetto::{io::ReceiveStream, testing::MemoryReceiveStream};
/// terzetto::run(async {
///     let stream = MemoryReceiveStream::new();
///     stream.put_data(b"abc")?;
///     stream.on_receive(async |room| Ok(room.min(1)));
///     let mut buffer = [0; 16];
///     assert_eq!(stream.receive_some(&mut buffer).await?, 1);
///     assert_eq!(buffer[0], b'a');
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct MemoryReceiveStream {
    pub(super) incoming: Rc<ByteQueue>,
    receiving: Turnstile,
    on_receive: Hook<usize, usize>,
    on_close: CloseHook,
    closed: Cell<bool>,
}

impl Default for MemoryReceiveStream {
    fn default() -> Self {
        MemoryReceiveStream::new()
    }
}

impl MemoryReceiveStream {
    /// A stream without data and hooks.
    pub fn new() -> MemoryReceiveStream {
        MemoryReceiveStream {
            incoming: ByteQueue::new(),
            receiving: Turnstile::default(),
            on_receive: RefCell::default(),
            on_close: RefCell::default(),
            closed: Cell::new(false),
        }
    }

    /// Sets a hook, which runs at the beginning of each `receive_some`. Its argument is the size of the caller's
    /// buffer. It returns how much of the buffer may be filled.
    pub fn on_receive<F>(&self, hook: impl Fn(usize) -> F + 'static)
    where
        F: Future<Output = Result<usize, StreamError>> + 'static,
    {
        *self.on_receive.borrow_mut() = Some(Rc::new(move |room| Box::pin(hook(room))));
    }

    /// Sets a hook, which is called each time that the stream is closed, even if it is closed already. If the stream
    /// was not closed before it is dropped, the hook is called then. If the hook itself closes the stream, it is not
    /// called again for that.
    pub fn on_close(&self, hook: impl Fn() + 'static) {
        *self.on_close.borrow_mut() = Some(Rc::new(hook));
    }

    /// Puts in data that is then received.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if the stream is closed, or if its end was put in.
    pub fn put_data(&self, data: &[u8]) -> Result<(), StreamError> {
        self.incoming.put(data)
    }

    /// Puts in the end of the stream.
    pub fn put_eof(&self) {
        self.incoming.close();
    }

    /// Closes the stream without a checkpoint.
    pub fn close_now(&self) {
        self.closed.set(true);
        self.incoming.close_and_wipe();
        call_close_hook(&self.on_close);
    }
}

crate::io::close_inherent!([] MemoryReceiveStream);

impl Resource for MemoryReceiveStream {
    async fn close(&self) -> Result<(), StreamError> {
        self.close_now();
        Ok(checkpoint().await?)
    }
}

impl ReceiveStream for MemoryReceiveStream {
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        ensure_room(buffer)?;
        let _inside = self.receiving.enter("receiving")?;
        twice().await?;
        if self.closed.get() {
            return Err(StreamError::Closed);
        }
        let room = call(&self.on_receive, buffer.len(), buffer.len()).await?;
        let data = self.incoming.get(room.min(buffer.len())).await?;
        if self.closed.get() {
            return Err(StreamError::Closed);
        }
        buffer[..data.len()].copy_from_slice(&data);
        Ok(data.len())
    }
}

impl Drop for MemoryReceiveStream {
    fn drop(&mut self) {
        if !self.closed.get() {
            self.close_now();
        }
    }
}

impl fmt::Debug for MemoryReceiveStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReceiveStream").field("closed", &self.closed.get()).finish_non_exhaustive()
    }
}
