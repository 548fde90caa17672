//! The few system calls that every program may come to need, and the standard library has no safe form for.
//!
//! A crate of safe forms costs as long to build as half of this one; what needs more calls than these stands
//! behind a feature, and takes that crate.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
};

/// Puts the open file of a descriptor into non-blocking mode: who shares the file gets it, too.
pub(crate) fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the descriptor is borrowed, so it is open; this command takes no argument and touches no memory.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    // SAFETY: as above, and the argument of this command is an integer.
    if flags < 0 || unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
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

/// Whether a write to the descriptor would not block now: there is room, or it would fail.
pub(crate) fn is_writable(fd: impl AsFd) -> io::Result<bool> {
    let mut asked = libc::pollfd { fd: fd.as_fd().as_raw_fd(), events: libc::POLLOUT, revents: 0 };
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
