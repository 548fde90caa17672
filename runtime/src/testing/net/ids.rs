//! Which host: its number, and how a task knows it.

use crate::ContextVar;

/// The place of a host in the network's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct HostId(pub(super) u32);

/// The host that a task belongs to, and which life of that host. Tasks inherit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) network: u64,
    pub(super) host: HostId,
    pub(super) life: u64,
}

pub(super) static HOME: ContextVar<Home> = ContextVar::new("the host of a simulated network");
