//! Patterns that many programs need, built on nurseries and scopes.
//!
//! Each of them could be written by hand in a page of code, and most first attempts have the same defects: a loser that
//! goes on, a result that is lost, an error that nobody sees. So they are here once, with their tests.
//!
//! They have one rule in common: **nothing outlives its call.** Each of these functions opens a nursery, and returns
//! when all tasks in it have ended. What it started is cancelled *and* joined by then. Errors come out as a nursery's.

pub mod children;
pub mod graceful;
pub mod race;
pub mod service;
pub mod supervise;

use crate::core::task::handle::function_name;

/// A name for the task that polls `future`, as tasks are named that have none of their own.
fn name_of<F>(_: &F) -> &'static str {
    function_name(std::any::type_name::<F>())
}
