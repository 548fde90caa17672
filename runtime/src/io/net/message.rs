//! System calls that the socket types have no method for: calls with flags, with passed descriptors, or with
//! several buffers. The program provides a call that does not block, and the methods here decide when to make it.

use crate::{
    core::block::reactor::Direction,
    io::{
        StreamError,
        net::{TcpStream, UdpSocket, UnixDatagram, UnixStream},
    },
    sys::is_readable,
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

macro_rules! calls {
    ($socket:ident, |$this:ident| $source:expr $(, simulated: $simulated:expr)?) => {
        impl $socket {
            /// Makes a system call that receives; trio's `recvmsg` and the flags of its `recv`. While the call fails as
            /// [`WouldBlock`](io::ErrorKind::WouldBlock), this waits until there is something to receive, and makes it
            /// again.
            ///
            /// The call may fail as `WouldBlock` only if there is nothing at all to receive. After such a failure, the
            /// next receive waits until the system says that something has arrived.
            ///
            /// # Cancellation
            /// A checkpoint. The result of the call is not lost.
            ///
            /// # Errors
            /// Cancelled; [`StreamError::Closed`]; [`StreamError::Busy`] if it must wait and another task waits, too;
            /// [`StreamError::Io`] with the error of the call, or of kind `Unsupported` in a simulated network, whose
            /// sockets have no descriptor.
            ///
            /// ```
            /// use rustix::net::{RecvFlags, recv};
            /// use terzetto::io::{SendStream, UnixStream};
            /// terzetto::run(async {
            ///     let (a, b) = UnixStream::pair()?;
            ///     a.send_all(b"hello").await?;
            ///     let mut buffer = [0; 16];
            ///     for _again in 0..2 {
            ///         // Looks, and takes nothing.
            ///         let peek = b.receive_with(|fd| Ok(recv(fd, &mut buffer, RecvFlags::PEEK)?.0)).await?;
            ///         assert_eq!(peek, 5);
            ///     }
            ///     Ok(())
            /// })?;
            /// # Ok::<(), terzetto::Error>(())
            /// ```
            pub async fn receive_with<R>(
                &self,
                mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
            ) -> Result<R, StreamError> {
                {
                    let $this = self;
                    &$source
                }
                .operate(Direction::Read, |socket| call(socket.as_fd()))
                .await
            }

            /// Whether there is something to receive now: data, the end, or an error. This is trio's `is_readable`.
            ///
            /// # Errors
            /// [`StreamError::Closed`], or the system's error.
            pub fn is_readable(&self) -> Result<bool, StreamError> {
                let $this = self;
                $(if let Some(source) = $simulated {
                    return Ok(source.get()?.is_ready(Direction::Read));
                })?
                is_readable(&*$source.get()?).map_err(StreamError::Io)
            }

            /// Makes a system call that sends; trio's `sendmsg` and the flags of its `send`. While the call fails as
            /// [`WouldBlock`](io::ErrorKind::WouldBlock), this waits until there is room, and makes it again. The call
            /// may fail as `WouldBlock` only if there is no room at all. If other tasks send at the same time, their
            /// data may be mixed with that of this call.
            ///
            /// # Cancellation
            /// The same as `receive_with`.
            ///
            /// # Errors
            /// The errors of `receive_with`.
            pub async fn send_with<R>(
                &self,
                mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
            ) -> Result<R, StreamError> {
                {
                    let $this = self;
                    &$source
                }
                .operate(Direction::Write, |socket| call(socket.as_fd()))
                .await
            }
        }
    };
}

calls!(TcpStream, |stream| stream.0.real()?.source, simulated: stream.0.simulated());
calls!(UnixStream, |stream| stream.0.source);
calls!(UdpSocket, |socket| *socket.real()?, simulated: socket.simulated());
calls!(UnixDatagram, |socket| socket.0);
