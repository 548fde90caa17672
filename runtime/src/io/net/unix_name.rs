//! The names of sockets in the Unix domain.

use std::{io, os::unix::net::SocketAddr, path::Path};

/// The address for a name. On Linux, a name that begins with a zero byte is *abstract*: it is not a file, and it
/// disappears when its socket is closed.
pub(super) fn name(path: &Path) -> io::Result<SocketAddr> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).strip_prefix(b"\0") {
        #[cfg(target_os = "android")]
        use std::os::android::net::SocketAddrExt;
        #[cfg(target_os = "linux")]
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(path)
}
