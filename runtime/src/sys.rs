//! The few system calls that every program may come to need, and the standard library has no safe form for.
//!
//! A crate of safe forms costs as long to build as half of this one; what needs more calls than these stands
//! behind a feature, and takes that crate.
//!
//! None of them can do harm to memory, whatever the number of a descriptor that they are given: a number that
//! is not open is an error of the system's.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, RawFd},
};

fn flags(fd: RawFd) -> io::Result<libc::c_int> {
    // SAFETY: this command takes no argument and touches no memory; a wrong number is an error.
    match unsafe { libc::fcntl(fd, libc::F_GETFL) } {
        flags if flags < 0 => Err(io::Error::last_os_error()),
        flags => Ok(flags),
    }
}

/// Whether the open file of a descriptor is in non-blocking mode.
pub(crate) fn is_nonblocking(fd: RawFd) -> io::Result<bool> {
    Ok(flags(fd)? & libc::O_NONBLOCK != 0)
}

/// Puts the open file of a descriptor into non-blocking mode, or out of it: who shares the file gets it, too.
/// Returns whether it was in that mode.
pub(crate) fn set_nonblocking(fd: RawFd, nonblocking: bool) -> io::Result<bool> {
    let flags = flags(fd)?;
    let was = flags & libc::O_NONBLOCK != 0;
    if was != nonblocking {
        // SAFETY: the argument of this command is an integer; no memory is touched.
        if unsafe { libc::fcntl(fd, libc::F_SETFL, flags ^ libc::O_NONBLOCK) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(was)
}

/// The name of a file for the system: its device, and its number there.
pub(crate) type FileName = (libc::dev_t, libc::ino_t);

/// Names the file of a descriptor. Descriptors of one open file have the
/// same name; others may have it, too.
pub(crate) fn file_of(fd: impl AsFd) -> io::Result<FileName> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the descriptor is borrowed, so it is open, and the system writes one `stat` to where there is
    // room for it.
    if unsafe { libc::fstat(fd.as_fd().as_raw_fd(), status.as_mut_ptr()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so the system has filled it in.
    let status = unsafe { status.assume_init() };
    Ok((status.st_dev, status.st_ino))
}

/// Whether the kernel speaks a protocol on top of a TCP connection, such as TLS (kTLS).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn has_upper_protocol(socket: impl AsFd) -> bool {
    let mut name = [0_u8; 16];
    let mut length = name.len() as libc::socklen_t;
    // SAFETY: the descriptor is borrowed, so it is open; the system writes at most `length` bytes to `name`,
    // and how many to `length`.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_ULP,
            name.as_mut_ptr().cast(),
            &mut length,
        )
    };
    // A kernel that does not know the option has no such protocols.
    outcome == 0 && length > 0 && name[0] != 0
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn has_upper_protocol(_socket: impl AsFd) -> bool {
    false
}

/// Names this thread for who looks at the process from outside.
#[cfg(target_os = "linux")]
pub(crate) fn set_thread_name(name: &std::ffi::CStr) -> io::Result<()> {
    // SAFETY: the kernel reads a string that ends in a zero, as this one does, and keeps no pointer to it.
    match unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether a read from the descriptor would not block now: there is something to read, or it would fail.
pub(crate) fn is_readable(fd: impl AsFd) -> io::Result<bool> {
    is_ready(fd, libc::POLLIN)
}

/// Whether a write to the descriptor would not block now: there is room, or it would fail.
pub(crate) fn is_writable(fd: impl AsFd) -> io::Result<bool> {
    is_ready(fd, libc::POLLOUT)
}

fn is_ready(fd: impl AsFd, events: libc::c_short) -> io::Result<bool> {
    let mut asked = libc::pollfd { fd: fd.as_fd().as_raw_fd(), events, revents: 0 };
    loop {
        // SAFETY: the pointer leads to one entry, which lives until the call returns; the descriptor is borrowed, so it
        // is open. The time limit of zero means that the call does not block.
        match unsafe { libc::poll(&raw mut asked, 1, 0) } {
            0.. => return Ok(asked.revents != 0),
            _ => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
}
