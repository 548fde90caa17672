//! What stands for native stacks where they are not built in, or cannot be had.

pub(super) struct Stacks;

impl Stacks {
    /// Says once in the log why there will be none.
    pub(super) fn of_this_thread(wanted: bool) -> Stacks {
        if wanted {
            log::warn!("the watchdog shows no stacks: it can do so on Linux, on x86-64 and AArch64 only");
        }
        Stacks
    }

    #[expect(clippy::unused_self, reason = "as where there are stacks")]
    pub(super) fn copy(&self) -> CopiedStack {
        CopiedStack
    }
}

pub(super) struct CopiedStack;

impl CopiedStack {
    #[expect(clippy::unused_self, reason = "as where there are stacks")]
    pub(super) fn log(&self, _task: &str) {}
}
