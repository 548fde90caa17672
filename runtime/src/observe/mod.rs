//! Seeing what a run does, and why it hangs.
//!
//! All of this works on a release build and needs no special flags. What is not switched on costs nothing. Most of it
//! is an [instrument](crate::lowlevel::Instrument): while one is installed, every tick goes by the run loop.
//!
//! | question | tool |
//! |---|---|
//! | Why does the test hang? | It does not: under a mock clock a [`Deadlock`](crate::Deadlock) fails the run, with a report. |
//! | What does each task wait for, and who holds it? | [`blocked_report`](crate::blocked_report), [`task_tree`](crate::task_tree) |
//! | The same from outside a running program | [`Builder::dump_on_sigusr1`](crate::Builder::dump_on_sigusr1) (into the log), [`Builder::task_socket`](crate::Builder::task_socket) |
//! | The same for a program | [`snapshot`]: JSON with a [documented schema](#the-snapshot) |
//! | Which task takes the time? | [`Builder::measure_tasks`](crate::Builder::measure_tasks), shown in snapshots |
//! | Which task holds the loop up? | [`Builder::watchdog`](crate::Builder::watchdog) |
//! | In which function is it? | [`Builder::watchdog_stacks`](crate::Builder::watchdog_stacks), with the feature `native-stacks` |
//! | In which order did things happen? | [`Recorder`]: a trace for Perfetto, a picture, a page |
//! | What do the worker threads do? | the same trace; [`work_span`] marks parts of a job |
//! | What had happened before the crash? | [`Builder::dump_into`](crate::Builder::dump_into) with [`Recorder::last`] |
//! | How did everything stand at each event? | [`StateRecorder`]: a page that steps through the run |
//! | Which task wrote this line of the log? | `TaskSpans`, with the feature `tracing` |
//!
//! # The snapshot
//!
//! [`snapshot`] returns one JSON object. Times are in seconds. What is not known or not finite is `null`. Fields may be
//! added to the schema. If a field changes its meaning, `schema` changes.
//!
//! | field | type | meaning |
//! |---|---|---|
//! | `schema` | string | `terzetto-snapshot-1` |
//! | `time` | number | the run's clock |
//! | `tick` | number | how many ticks the run has made |
//! | `next_deadline_in` | number | until the next deadline of the run |
//! | `outside` | list of strings | what may wake the run from outside, if all tasks are blocked |
//! | `cycles` | list of lists of task numbers | tasks that wait for each other in a circle |
//! | `tasks` | list of tasks, oldest first | all tasks that have not ended |
//! | `took` | number | how long the snapshot has held up the loop |
//!
//! | field of a task | type | meaning |
//! |---|---|---|
//! | `id`, `name` | number, string | its number in the run, and its name |
//! | `started_at` | `{"file", "line"}` | where in the source it was started |
//! | `parent` | task number | its parent; `null` for the main task |
//! | `nursery` | number | the nursery in which it is: equal for siblings in one nursery |
//! | `state` | string | `running`, `runnable`, `not-polled` (it was woken, but the future of its nursery is kept and not polled), `blocked`, `end-of-nursery` (it waits for its nursery to end), or `foreign` (it awaits something that the runtime does not know) |
//! | `stuck` | boolean | nothing but a deadline or a cancellation can wake it: see [`blocked_report`](crate::blocked_report) |
//! | `futurelocked` | boolean | a future of it is over and is not polled any more, while it waits; or it is `not-polled` |
//! | `waits` | list of waits | what it is blocked in |
//! | `scopes` | list of scopes, outermost first | the scopes that it has entered |
//! | `age`, `steps`, `busy` | numbers | seconds since its start, how often it was polled, and the seconds of that; `null` unless [measured](crate::Builder::measure_tasks) |
//!
//! | field of a wait | type | meaning |
//! |---|---|---|
//! | `what` | string | what the task does, as in the tree of tasks |
//! | `stage` | string | `blocked`, `not-abortable` (it was cancelled, and cannot be aborted), or `over` |
//! | `ended_by` | string | what ends it: `tasks`, `time`, `descriptor`, `thread`, `signal` or `foreign` |
//! | `holders` | list of task numbers | the tasks that hold what it waits for, if they are known |
//! | `details` | string | more about it |
//! | `ends_in` | number | until it ends by itself |
//! | `deadline_in` | number | until the nearest deadline that cancels it |
//! | `shielded_from` | string | the reason of a cancellation outside, which a shield hides |
//!
//! | field of a scope | type | meaning |
//! |---|---|---|
//! | `deadline_in` | number | until its deadline |
//! | `shielded`, `cancelled` | booleans | whether it is |
//! | `reason` | string | why it is cancelled |

mod dumps;
mod json;
mod measures;
#[cfg(all(
    feature = "native-stacks",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod native_stack;
#[cfg(not(all(
    feature = "native-stacks",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[path = "no_native_stack.rs"]
mod native_stack;
mod snapshot;
mod socket;
#[cfg(feature = "tracing")]
mod spans;
mod states;
mod timeline;
mod watchdog;
mod work_span;

pub(crate) use dumps::{Dumps, make_folder};
pub(crate) use measures::Measures;
pub use snapshot::snapshot;
pub(crate) use socket::TaskSocket;
#[cfg(feature = "tracing")]
pub use spans::TaskSpans;
pub use states::StateRecorder;
pub use timeline::{Recorder, Timeline, TraceTime};
pub(crate) use watchdog::Watchdog;
pub use work_span::{WorkSpan, work_span};
