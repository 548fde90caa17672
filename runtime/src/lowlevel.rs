//! What libraries build on, and what watches a run; trio's `lowlevel`.
//!
//! A program mostly does without. Here is how to block a task by hand, how the rest of the process calls into a run,
//! how to watch what a run does, and how a run lives inside another loop.

#[cfg(feature = "guest")]
pub use crate::core::lowlevel::guest::{GuestRun, GuestTick};
pub use crate::{
    core::{
        block::operation::Aborted,
        cancel::checkpoint::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
        lowlevel::{
            install_instrument::{add_instrument, remove_instrument},
            instrument::Instrument,
            reschedule::{NotBlocked, Rescheduler, wait_task_rescheduled},
            statistics::{Statistics, current_statistics},
            system::spawn_system_task,
            token::{IdempotentCall, RunFinished, Token},
            variable::RunVar,
            whereabouts::{current_clock, current_root_task, in_run, in_task},
        },
        run::clock::{Clock, SystemClock},
        task::current::main_task,
    },
    threads::start_soon::start_thread_soon,
};
