//! The core of the runtime: tasks, nurseries, cancel scopes, waiting, and the loop that runs them.
//!
//! Begin here. This page gives the words, an order of reading, and walks through the code: one wake-up, one
//! cancellation, one message, and a wake-up that comes from another thread. The core knows nothing of sockets,
//! threads, signals or files. They are built on the core. Those that must take part in a run [plug
//! in](run::extensions).
//!
//! # The idea in short
//!
//! A child may borrow from the frame that opened its nursery, so it may be polled only while that frame is alive.
//! Therefore a nursery's future owns its children, and polls them inside its own poll. So all futures of a run form a
//! *poll tree*, with the run loop at its root. A wake leaves a trail from the woken future up to the root. A tick
//! follows the trails down. It polls what was woken, and what leads there. The cancel scopes form a second tree, the
//! scope tree. A blocked operation has a wait in the list of its scope, so a cancellation finds it there. A task
//! that waits for its nursery to end has none, since that cannot be cancelled.
//!
//! # Words
//!
//! | here | trio | tokio | what it is |
//! |---|---|---|---|
//! | [`Run`](run::Run) | `Runner` | `Runtime` (one thread) | the state of one call of [`run`](crate::run()) |
//! | [run loop](run::run_loop), tick | `unrolled_run`, batch | scheduler loop, tick | a tick polls, once, each node that was runnable when the tick began |
//! | task | task | task | one thread of control with a name: what a user sees |
//! | [node](poll_tree::node) | (the task's coroutine) | task cell | a future that is polled on its own: a task's outermost future, or the body of a nursery |
//! | [nursery](task::nursery) | nursery | (`JoinSet`) | the block that ends when all of its tasks have ended |
//! | [nursery node](poll_tree::nursery_node) | – | – | a nursery as the poll tree knows it: its parent, its children, its ready queue |
//! | parent (of a nursery) | `parent_task` | – | what polls the nursery: a node, the run loop, or something foreign |
//! | [ready queue](poll_tree::ready_queue) | `runq` | run queue | nodes of one nursery that are to be polled |
//! | [poll path](poll_tree::poll_path) | – | – | the nodes that are being polled now, one inside the other |
//! | [cancel scope](cancel::scope) | `CancelScope` | (`CancellationToken`) | code that can be cancelled together |
//! | [scope tree](cancel::tree) | `CancelStatus` | – | the entered scopes |
//! | batch | batch | – | the nodes of one nursery that are polled in one tick |
//! | step | step | poll | one poll of a node that was woken itself |
//! | system task | system task | – | a task of a library, which the program does not wait for |
//! | schedule point | schedule point | (coop budget) | where a task lets others run |
//! | cancel point | cancel point | – | where a task learns of its cancellation |
//! | checkpoint | checkpoint | – | both at once: a schedule point and a cancel point |
//! | interrupt | `KeyboardInterrupt` | – | a Ctrl-C that is to be raised in the main task |
//! | [wait](block::wait) | `wait_task_rescheduled` | – | what a blocked operation leaves with the run |
//! | [waiter](block::waiter) | – | – | what a wait wakes: a node, or a foreign waker |
//! | [operation](block::operation) | abort function | – | what a task is blocked in, and how that is aborted |
//! | [wait queue](block::wait_queue) | (`ParkingLot`) | wait list | tasks that are parked in order, each with a value to hand over. The public [`ParkingLot`](crate::sync::ParkingLot) is another thing: its tasks can move to another lot |
//! | [reactor](block::reactor) | IO manager | driver | the operating system's events |
//! | [inbox](run::inbox) | `EntryQueue`, wakeup socket | inject queue | how other threads and signal handlers reach a run |
//! | host (of a guest run) | host | – | the loop of another library that turns our run |
//! | foreign | – | – | of another library: a future that does not look at cancellation, a waker that is not ours |
//!
//! # An order of reading
//!
//! 1. [`ids`]: every part of a run is named by a number, so nothing can dangle. [`table`] and [`list`] hold the
//!    parts. [`seconds`], [`spare`] and [`misuse`] are small and can wait.
//! 2. **The poll tree.** [`poll_tree::node`] says who owns a future; read it with the [safety chapter](poll_tree).
//!    Then read [`poll_tree::nursery_node`], [`poll_tree::ready_queue`], [`poll_tree::order`] and
//!    [`poll_tree::tree`]. [`poll_tree::wake`] says how a wake reaches the run loop. [`poll_tree::waker`] says why a
//!    waker is a number, and [`poll_tree::clones`] counts the clones. [`poll_tree::poll_path`] is the way down.
//!    [`poll_tree::inspect`] computes the tree of tasks from the table. [`poll_tree::wrap`] keeps futures small, and
//!    [`poll_tree::stack`] makes deep nesting safe.
//! 3. **Tasks.** [`task::handle`] is what the run knows of a task. [`task::nursery`] says why children may borrow,
//!    and how a block ends. [`task::poll_children`] is what it does in a poll, and [`task::nursery_errors`] keeps the
//!    errors and panics of its tasks. [`task::start`] is for a task that says when it is ready. [`task::current`]
//!    finds the current task. [`task::context_values`], [`task::context`], [`task::context_var`] and
//!    [`task::in_context`] are task-local values. [`task::unit`] is a detail.
//! 4. **Cancellation.** [`cancel`] says why it is level-triggered. [`cancel::state`] and [`cancel::tree`] are data.
//!    [`cancel::propagate`] carries a cancellation through the tree. [`cancel::control`] changes a scope,
//!    [`cancel::scope`] is its handle, [`cancel::enter`] is the future inside it, and [`cancel::catch`] decides what
//!    a scope catches. Then read [`cancel::checkpoint`], [`cancel::turn_budget`], [`cancel::deadline_table`],
//!    [`cancel::expire`] and [`cancel::cancellable`]. [`cancel::stuck`] finds tasks that cannot be cancelled, and
//!    [`cancel::stuck_check`] says when to look for them. [`cancel::graceful`] shuts a scope down in two steps, with
//!    data in [`cancel::shut_down_state`] and [`cancel::visible`]. [`cancel::interrupt`] and
//!    [`cancel::raise_interrupt`] are Ctrl-C without the signal.
//! 5. **Blocking.** [`block`] has the three rules of every operation. [`block::operation`], [`block::waits`] and
//!    [`block::waiter`] are data. [`block::wait`] has the functions that change a wait. [`block::wait_queue`] is what
//!    events, channels and `start` stand on. [`block::reactor`], [`block::source_table`] and
//!    [`block::descriptor_wait`] wait for the operating system. [`block::awaited`] is for reports only: what could
//!    end a wait.
//! 6. **The run.** [`run::state`] has all of the above in one struct. [`run::run_loop`] is the loop, and
//!    [`run::between_ticks`] is what it does between two ticks. [`run::sleep`] is what it does when no task is
//!    runnable. [`run::tasks`] is what happens when a task begins or ends. [`run::inbox`] lets other threads in, with
//!    `run::inbox::message_queue`, `run::inbox::marks` and `run::inbox::sleep_flag`. [`run::take_messages`] is
//!    how the loop takes what they have sent. [`run::clock`] is time. [`run::extensions`] is for what plugs in.
//!    [`run::per_process`] makes the runtime survive a fork.
//! 7. **Low level.** [`lowlevel`] is for libraries that build on this one: [`lowlevel::reschedule`] is how they
//!    block, [`lowlevel::token`] is how other threads call, [`lowlevel::system`] has tasks that no program waits for,
//!    [`lowlevel::variable`] values of a run, [`lowlevel::whereabouts`] answers where code runs, and
//!    [`lowlevel::guest`] is a run inside another loop, with a thread that watches for events
//!    (`lowlevel::guest::watcher`). It is also for tools that watch a run: [`lowlevel::instrument`],
//!    [`lowlevel::install_instrument`], [`lowlevel::statistics`] for numbers, [`lowlevel::task_tree`] for a picture of
//!    all tasks in text and, for tests, [`lowlevel::watch`].
//! 8. **Why a run stands still.** [`lowlevel::deadlock`] finds that nothing can wake a run, with the counts of
//!    [`poll_tree::clones`] and the data of [`lowlevel::deadlock_state`]. [`lowlevel::survey`] looks at all tasks
//!    once, and [`lowlevel::reached`] finds those that are runnable and that nobody polls. [`lowlevel::stuck_tasks`]
//!    says which of them cannot go on, and [`lowlevel::blocked_report`] writes that down.
//!
//! A reader may skip what exists only for speed: [`poll_tree::fast_path`] and [`spare`]. Each says what it saves.
//!
//! # A wake-up, step by step
//!
//! A task sleeps, and its time comes.
//!
//! 1. [`expire_deadlines`](run::Run::expire_deadlines) finds the deadline in the table. It calls
//!    [`reschedule`](run::Run::reschedule) with the number of the wait.
//! 2. That function marks the wait as rescheduled. From now on no cancellation can touch it. Then it wakes the
//!    waiter.
//! 3. [`Run::wake`](run::Run::wake) calls the [tree](poll_tree::tree::PollTree::wake), which puts the node into the
//!    ready queue of its nursery. If that nursery was not notified before, the trail goes on: its parent is queued in
//!    the nursery above, with the mark that it only [leads further down](poll_tree::node::Queued). This repeats up to
//!    the run loop.
//! 4. The [run loop](run::run_loop::RunLoop::tick) begins a tick and polls the root nursery. A nursery polls each
//!    node in its ready queue ([`poll_inside`](task::poll_children)). A node that only leads further down is
//!    polled so that the nursery inside it is polled.
//! 5. The woken node is polled with a [waker](poll_tree::waker) that is its number. Its future asks its
//!    [wait](block::wait::Blocked::poll), learns that it was rescheduled, and goes on.
//!
//! # A wake-up from another thread, step by step
//!
//! A future of another library is done in a thread of its own, and wakes the task that awaits it.
//!
//! 1. The [waker](poll_tree::waker) has two numbers: of the run and of the node. It finds the inbox of the run in a
//!    list of all runs of the process.
//! 2. [`Inbox::wake`](run::inbox::Inbox::wake) sets the mark of the node. If the mark was set before, that is all. If
//!    not, a message with the number of the node is pushed into the queue.
//! 3. The [flag](run::inbox) says whether the loop sleeps. If so, this push rings the reactor's waker, and no later
//!    push does before the loop has woken.
//! 4. The loop takes the message, clears the mark, and calls [`Run::wake`](run::Run::wake). The rest is a wake-up as
//!    above.
//!
//! # A cancellation, step by step
//!
//! A scope is cancelled while a task in it waits to receive.
//!
//! 1. [`cancel`](cancel::state::ScopeState::cancel) marks the scope as cancelled, with a reason, and calls
//!    [`recalculate`](run::Run::recalculate).
//! 2. That function goes down the scope tree in a loop. It marks each scope below that is not shielded. It collects
//!    the waits in the lists of all those scopes.
//! 3. For each wait, [`deliver`](run::Run::deliver) calls the abort function of its operation. The wait queue removes
//!    the task at once, so no value can be handed to it. If an operation cannot be aborted, its wait goes on to its
//!    end.
//! 4. An aborted wait wakes its task. When the task is polled, the wait answers with [`Cancelled`](crate::Cancelled).
//!    This is an ordinary error, which leaves the task's functions one by one.
//! 5. The [future of the scope](cancel::enter::InScope) gets the error. It asks
//!    [`exit_scope`](run::Run::exit_scope) whether the cancellation is its own. If so, it swallows this error and no
//!    other.
//!
//! The scope stays marked. So a later checkpoint in it fails, too, and a wait that is begun in it is aborted when it
//! is [armed](block::wait::Blocked::arm).
//!
//! # A message, step by step
//!
//! One task receives from a channel, then another one sends.
//!
//! 1. `receive` finds nothing. It parks the task in the channel's wait queue, with room for the value:
//!    [`park_now`](block::wait_queue::WaitQueue::park_now). That registers a [wait](block::wait::Blocked) in the
//!    current scope, and the future answers that it is pending.
//! 2. `send` takes the first parked receiver out of the wait queue
//!    ([`unpark_one`](block::wait_queue::WaitQueue::unpark_one)), writes the value there, and reschedules
//!    its wait. The rest is a wake-up as above.
//! 3. `send` has succeeded at once. It lets other tasks run before it returns, since every operation is a
//!    schedule point: [`Turn`](cancel::checkpoint::Turn). (A run may allow a [budget](cancel::turn_budget) without.)
//!    Its cancel point came before it sent anything:
//!    [`CheckpointIfCancelled`](cancel::checkpoint::CheckpointIfCancelled).
//! 4. In the next tick both tasks are polled. The receiver collects the value. If the receiver's
//!    future was dropped in between, the value goes back to the channel.
//!
//! # Which module may import which
//!
//! Data does not know the run. The [state](run::state) of a run is made of data. Functions that change a run may
//! import the state. The state imports none of them. `.ci/circle` finds the modules that import each other in a
//! circle. The core has two such circles that cannot be cut. One has four modules: [nodes](poll_tree::node), the
//! [nurseries](poll_tree::nursery_node) that they belong to, their [ready queues](poll_tree::ready_queue), and
//! [handles](task::handle). The other has five: a [waker](poll_tree::waker) finds the current [run](run::state), the
//! run holds the [tree](poll_tree::tree) and the [waits](block::waits), and [waiters](block::waiter) recognise our
//! wakers.

pub(crate) mod block;
pub(crate) mod cancel;
pub(crate) mod ids;
pub(crate) mod list;
pub(crate) mod lowlevel;
pub(crate) mod misuse;
pub(crate) mod poll_tree;
pub(crate) mod run;
pub(crate) mod seconds;
pub(crate) mod spare;
pub(crate) mod table;
pub(crate) mod task;
