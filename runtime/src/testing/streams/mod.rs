//! Streams in memory, and suites that check streams of any kind.

mod check;
mod check_clogged;
mod check_half;
mod check_two_way;
mod lockstep;
mod memory;
mod pair;
mod queue;

pub use check::{StreamCheckFailed, check_one_way_stream};
pub use check_clogged::check_clogged_stream;
pub use check_half::check_half_closeable_stream;
pub use check_two_way::check_two_way_stream;
pub use lockstep::{
    LockstepReceiveStream, LockstepSendStream, LockstepStream, lockstep_stream_one_way_pair,
    lockstep_stream_pair,
};
pub use memory::{MemoryReceiveStream, MemorySendStream};
pub use pair::{MemoryStream, memory_stream_one_way_pair, memory_stream_pair, memory_stream_pump};
