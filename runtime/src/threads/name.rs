//! The names of worker threads, as tools outside the process show them.

/// The name of this thread. It is set only when it changes, since a name costs a system call, and consecutive jobs
/// usually have the same name.
#[derive(Default)]
pub(super) struct ThreadName(String);

impl ThreadName {
    pub(super) fn set(&mut self, name: &str) {
        // The system takes 15 bytes and a zero.
        let fits = (0..=15.min(name.len())).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
        let name = &name[..fits];
        if self.0 == name {
            return;
        }
        name.clone_into(&mut self.0);
        #[cfg(target_os = "linux")]
        if let Ok(name) = std::ffi::CString::new(name) {
            // A thread without its name works as well.
            let _unnamed = crate::sys::set_thread_name(&name);
        }
    }
}
