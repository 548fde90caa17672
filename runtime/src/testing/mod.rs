//! Tools for tests.
//!
//! A test can control the clock, wait until all other tasks are blocked, and run steps in a chosen order. It can
//! check whether code executes a checkpoint. There are streams in memory, suites that check any stream, a
//! [simulated network](net), and disks that [fail](files).

mod checkpoints;
mod clock;
mod connect;
mod everywhere;
mod explore;
#[cfg(feature = "fs")]
pub mod files;
mod idle;
mod matcher;
pub mod net;
mod schedule;
mod sequencer;
mod streams;
mod trial;

pub use checkpoints::{assert_checkpoints, assert_no_checkpoints};
pub use clock::MockClock;
pub use connect::{SocketListener, open_stream_to_socket_listener};
pub use everywhere::{Coverage, Everywhere, Strike, cancel_everywhere};
pub use explore::{Explore, Explored, explore};
pub use idle::wait_all_tasks_blocked;
pub use matcher::{Matcher, Mismatch};
pub use sequencer::{Sequencer, SequencerError};
pub use streams::{
    LockstepReceiveStream, LockstepSendStream, LockstepStream, MemoryReceiveStream, MemorySendStream,
    MemoryStream, StreamCheckFailed, check_clogged_stream, check_half_closeable_stream, check_one_way_stream,
    check_two_way_stream, lockstep_stream_one_way_pair, lockstep_stream_pair, memory_stream_one_way_pair,
    memory_stream_pair, memory_stream_pump,
};
