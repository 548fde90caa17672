//! x
use crate::{measure::Figures, workload::Workload};
/// x
pub fn run(_w: Workload, _n: usize) -> Option<Figures> { None }
/// x
pub fn run_epoll(_w: Workload, _n: usize) -> Option<Figures> { None }
/// x
pub fn run_uring(_w: Workload, _n: usize) -> Option<Figures> { None }
