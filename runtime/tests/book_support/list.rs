//! The programs of the book. Each is compiled here as a module, as it would be as a crate of its own.

use super::child::Outcome;

macro_rules! programs {
    ($($path:literal => $module:ident,)*) => {
        $(
            mod $module {
                include!(concat!(env!("CARGO_MANIFEST_DIR"), "/book/programs/", $path));

                pub(super) fn run() -> i32 {
                    super::Outcome::exit_code(main())
                }
            }
        )*

        /// Each program's path below `programs/`, and how to run it.
        pub const PROGRAMS: &[(&str, fn() -> i32)] = &[$(($path, $module::run)),*];
    };
}

programs! {
    "concepts/borrowing.rs" => concepts_borrowing,
    "concepts/borrowing_solution.rs" => concepts_borrowing_solution,
    "concepts/channels.rs" => concepts_channels,
    "concepts/channels_broken.rs" => concepts_channels_broken,
    "concepts/channels_kept.rs" => concepts_channels_kept,
    "concepts/channels_solution.rs" => concepts_channels_solution,
    "concepts/checkpoints.rs" => concepts_checkpoints,
    "concepts/checkpoints_borrow.rs" => concepts_checkpoints_borrow,
    "concepts/checkpoints_hog.rs" => concepts_checkpoints_hog,
    "concepts/checkpoints_ready.rs" => concepts_checkpoints_ready,
    "concepts/checkpoints_solution.rs" => concepts_checkpoints_solution,
    "concepts/deadlines.rs" => concepts_deadlines,
    "concepts/deadlines_blocking.rs" => concepts_deadlines_blocking,
    "concepts/deadlines_negative.rs" => concepts_deadlines_negative,
    "concepts/deadlines_solution.rs" => concepts_deadlines_solution,
    "concepts/deadlock.rs" => concepts_deadlock,
    "concepts/deadlock_again.rs" => concepts_deadlock_again,
    "concepts/deadlock_alone.rs" => concepts_deadlock_alone,
    "concepts/deadlock_futurelock.rs" => concepts_deadlock_futurelock,
    "concepts/deadlock_solution.rs" => concepts_deadlock_solution,
    "concepts/errors.rs" => concepts_errors,
    "concepts/errors_downcast.rs" => concepts_errors_downcast,
    "concepts/errors_retry.rs" => concepts_errors_retry,
    "concepts/errors_solution.rs" => concepts_errors_solution,
    "concepts/level.rs" => concepts_level,
    "concepts/level_solution.rs" => concepts_level_solution,
    "concepts/level_swallowed.rs" => concepts_level_swallowed,
    "concepts/level_text.rs" => concepts_level_text,
    "concepts/nursery.rs" => concepts_nursery,
    "concepts/nursery_solution.rs" => concepts_nursery_solution,
    "concepts/nursery_unawaited.rs" => concepts_nursery_unawaited,
    "concepts/say.rs" => concepts_say,
    "concepts/scopes.rs" => concepts_scopes,
    "concepts/scopes_child.rs" => concepts_scopes_child,
    "concepts/scopes_solution.rs" => concepts_scopes_solution,
    "concepts/scopes_twice.rs" => concepts_scopes_twice,
    "concepts/shields.rs" => concepts_shields,
    "concepts/shields_endless.rs" => concepts_shields_endless,
    "concepts/shields_none.rs" => concepts_shields_none,
    "concepts/shields_own.rs" => concepts_shields_own,
    "concepts/shields_solution.rs" => concepts_shields_solution,
    "concepts/shutdown.rs" => concepts_shutdown,
    "concepts/shutdown_at_once.rs" => concepts_shutdown_at_once,
    "concepts/shutdown_early.rs" => concepts_shutdown_early,
    "concepts/shutdown_no_limit.rs" => concepts_shutdown_no_limit,
    "concepts/shutdown_solution.rs" => concepts_shutdown_solution,
    "concepts/start.rs" => concepts_start,
    "concepts/start_never.rs" => concepts_start_never,
    "concepts/start_solution.rs" => concepts_start_solution,
    "concepts/start_soon_early.rs" => concepts_start_soon_early,
    "concepts/start_twice.rs" => concepts_start_twice,
    "concepts/threads.rs" => concepts_threads,
    "concepts/threads_cancel.rs" => concepts_threads_cancel,
    "concepts/threads_foreign.rs" => concepts_threads_foreign,
    "concepts/threads_solution.rs" => concepts_threads_solution,
    "minutes/hello.rs" => minutes_hello,
    "minutes/limit.rs" => minutes_limit,
    "minutes/many_connections.rs" => minutes_many_connections,
    "minutes/one_connection.rs" => minutes_one_connection,
    "minutes/two.rs" => minutes_two,
    "served/echo.rs" => served_echo,
    "served/echo_tokio.rs" => served_echo_tokio,
    "tokio/race.rs" => tokio_race,
    "tokio/race_tokio.rs" => tokio_race_tokio,
    "tokio/spawn.rs" => tokio_spawn,
    "tokio/spawn_tokio.rs" => tokio_spawn_tokio,
    "tokio/timeout.rs" => tokio_timeout,
    "tokio/timeout_tokio.rs" => tokio_timeout_tokio,
}
