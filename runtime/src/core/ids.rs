//! The numbers that name the parts of a run. A number keeps nothing alive, so nothing can dangle.

use crate::core::table::Key;

/// The number of a run, unique among those alive.
pub(crate) type RunId = u32;

/// The number of a node of the poll tree within its run.
pub(crate) type NodeId = Key;

/// The number of an entered scope within its run.
pub(crate) type ScopeId = Key;

/// The scope of the whole run.
pub(crate) const ROOT: ScopeId = Key::FIRST;

/// The number of a wait within its run.
pub(crate) type WaitId = Key;
