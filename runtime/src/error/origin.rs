//! `TaskOrigin`: which task an error came from.

use std::{borrow::Cow, fmt, panic::Location};

/// The task of a nursery that an error came from: its name, and where it was started.
///
/// A nursery stores the origin beside each error and does not wrap the error in it. So types, `downcast` and
/// [`find`](crate::Error::find) work as without it. The origin is shown wherever the error is displayed.
///
/// ```
/// # use terzetto::{Error, nursery};
/// # terzetto::run(async {
/// let error = nursery(async |n| {
///     n.start_soon_named("reader", async { Err(Error::msg("disk full")) });
///     Ok(())
/// }).await.unwrap_err();
/// let origin = error.group().and_then(|group| group.origin(0)).unwrap();
/// assert_eq!(origin.name(), "reader");
/// assert_eq!(error.to_string(), format!("task {origin}: disk full"));
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskOrigin {
    pub(crate) name: Cow<'static, str>,
    pub(crate) spawned_at: Option<&'static Location<'static>>,
}

impl TaskOrigin {
    /// The name of the task.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where in the source it was started.
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.spawned_at
    }
}

/// The name and the place: `reader (src/main.rs:12)`.
impl fmt::Display for TaskOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_task(f, &self.name, self.spawned_at)
    }
}

/// Writes a task's name as messages show it.
pub(crate) fn write_task(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    spawned_at: Option<&Location<'_>>,
) -> fmt::Result {
    match spawned_at {
        Some(at) => write!(f, "{name} ({}:{})", at.file(), at.line()),
        None => f.write_str(name),
    }
}
