//! The core of the runtime: tasks, nurseries, cancel scopes, waiting, and the loop that runs them.
//!
//! This page is the way in. It gives the words, an order of reading, and three walks through the code: one
//! wake-up, one cancellation, one message. The core knows nothing of sockets, threads, signals or files. They stand on it,
//! and what has to take part in a run [plugs in](run::extensions).
//!
//! # The idea in five sentences
//!
//! A child may borrow from the frame that opened its nursery, so it may be polled only while that frame is
//! alive. Therefore a nursery's future owns its children and polls them inside its own poll. So all futures of a run form a
//! *poll tree*, with the run loop at its root. A wake leaves a trail from the woken future up to the root, and a tick follows
//! the trails down: it polls what was woken, and nothing else. A cancel scope is a node of a second tree, and everything
//! that is blocked is in the list of one scope, which is how a cancellation finds it.
//!
//! # Words
//!
//! | here | trio | tokio | what it is |
//! |---|---|---|---|
//! | [`Run`](run::Run) | `Runner` | `Runtime` (one thread) | the state of one call of [`run`](crate::run()) |
//! | [run loop](run::run_loop), tick | `unrolled_run`, batch | scheduler loop, tick | a tick polls each task that was runnable when it began, once |
//! | task | task | task | one thread of control with a name: what a user sees |
//! | [node](poll_tree::node) | (the task's coroutine) | task cell | a future that is polled on its own: a task's outermost future, or the body of a nursery |
//! | [nursery](task::nursery) | nursery | (`JoinSet`) | the block that ends when all of its tasks have ended |
//! | [nursery node](poll_tree::nursery_node) | – | – | a nursery as the poll tree knows it: its parent, its children, its ready queue |
//! | parent (of a nursery) | `parent_task` | – | whose poll polls it: a node, the run loop, or something foreign |
//! | [ready queue](poll_tree::ready_queue) | `runq` | run queue | nodes of one nursery that are to be polled |
//! | [poll path](poll_tree::poll_path) | – | – | the nodes that are being polled now, one inside the other |
//! | [cancel scope](cancel::scope) | `CancelScope` | (`CancellationToken`) | code that can be cancelled together |
//! | [scope tree](cancel::tree) | `CancelStatus` | – | the entered scopes |
//! | checkpoint | checkpoint | (coop budget) | where a task lets others run and learns of its cancellation |
//! | [wait](block::wait) | `wait_task_rescheduled` | – | what a blocked operation leaves with the run |
//! | [operation](block::operation) | abort function | – | what a task is blocked in, and how that is aborted |
//! | [wait queue](block::wait_queue) | `ParkingLot` | `Notify`, wait list | tasks that are parked in order, each with a value to hand over |
//! | [reactor](block::reactor) | IO manager | driver | the operating system's events |
//! | [inbox](run::inbox) | `EntryQueue` | inject queue | how other threads and signal handlers reach a run |
//! | foreign | – | – | of another library: a future that does not look at cancellation, a waker that is not ours |
//!
//! # An order of reading
//!
//! 1. [`ids`]: everything is named by numbers, so nothing can dangle. [`table`] and [`list`] keep what has a number.
//!    [`seconds`] and [`misuse`] are small and can wait.
//! 2. **The poll tree.** [`poll_tree::node`] (who owns a future, and the [safety chapter](poll_tree)),
//!    [`poll_tree::nursery_node`], [`poll_tree::ready_queue`], then [`poll_tree::tree`]: how a wake leaves its trail.
//!    [`poll_tree::waker`] says why a waker is a number. [`poll_tree::poll_path`] is the way down, [`poll_tree::look`] reads
//!    the tree of tasks off the table. [`poll_tree::wrap`] and [`poll_tree::stack`] keep futures small and deep nesting safe.
//! 3. **Tasks.** [`task::handle`] (what is known of a task), [`task::nursery`] (why children may borrow, and the end of a
//!    block), [`task::start`] (a task that says when it is ready). [`task::current`] finds the task that calls;
//!    [`task::context`], [`task::current_context`], [`task::context_var`] and [`task::in_context`] are task-local values;
//!    [`task::unit`] is a detail.
//! 4. **Cancellation.** [`cancel::state`] and [`cancel::tree`] are data, [`cancel::deliver`] carries a cancellation through
//!    the tree, [`cancel::steer`] changes a scope, [`cancel::scope`] is its handle, [`cancel::entered`] the future inside
//!    one. [`cancel::checkpoint`], [`cancel::deadlines`], [`cancel::cancellable`]. What cannot be cancelled is found by
//!    [`cancel::stuck`], at a time that [`cancel::stuck_check`] knows. [`cancel::interrupt`] and
//!    [`cancel::raise_interrupt`] are Ctrl-C without the signal.
//! 5. **Blocking.** [`block::operation`], [`block::waits`] and [`block::waiter`] are data, [`block::wait`] is what is done to
//!    a wait, [`block::wait_queue`] is what every primitive stands on. [`block::reactor`], [`block::by_fd`] and
//!    [`block::descriptor`] wait for the operating system.
//! 6. **The run.** [`run::state`] is all of the above in one struct, [`run::run_loop`] the loop, [`run::between_ticks`] what
//!    it does between two ticks, [`run::wake`] and [`run::tasks`] what happens inside a tick. [`run::inbox`] lets other
//!    threads in, [`run::clock`] is time, [`run::extensions`] is what plugs in, [`run::per_process`] survives a fork.
//! 7. **Low level.** [`lowlevel`]: what libraries build on, and what watches a run.
//!
//! What exists only for speed may be skipped: [`poll_tree::fast_path`], and what is kept for the next nursery or scope.
//!
//! # A wake-up, step by step
//!
//! A task sleeps; its time comes.
//!
//! 1. [`do_between_ticks`](run::Run::do_between_ticks) finds the deadline in the table and calls
//!    [`reschedule`](run::Run::reschedule) with the number of the wait.
//! 2. That marks the wait as rescheduled: from now on no cancellation can touch it. Then it wakes whom the wait wakes.
//! 3. [`Run::wake`](run::Run::wake) asks the [tree](poll_tree::tree::PollTree::wake), which puts the node into the ready queue
//!    of its nursery. If the nursery was not notified yet, the trail goes on: its parent is queued in its own nursery, marked as
//!    [only a way down](poll_tree::node::Queued), and so on, up to the run loop.
//! 4. The [run loop](run::run_loop::RunLoop::tick) begins a tick and polls the root nursery. A nursery polls each node in its
//!    ready queue ([`poll_inside`](task::nursery::Nursery)); a node that is only a way down is polled so that the nursery
//!    inside it is.
//! 5. The woken node is polled with a [waker](poll_tree::waker) that is its number. Its future asks its
//!    [wait](block::wait::Blocked::poll), hears that it was rescheduled, and goes on.
//!
//! # A cancellation, step by step
//!
//! A scope is cancelled while a task in it waits to receive.
//!
//! 1. [`cancel`](cancel::state::ScopeState::cancel) sets the state, with a reason, and calls
//!    [`recalculate`](run::Run::recalculate).
//! 2. That goes down the scope tree, by a loop: each scope is cancelled that is not shielded from it. The waits in the lists
//!    of those scopes are collected.
//! 3. For each, [`deliver`](run::Run::deliver) calls the abort function of its operation. The wait queue takes the task out
//!    there and then, so no value can be handed to it. If the operation cannot be aborted, the wait goes on to its end.
//! 4. An aborted wait wakes its task. When that is polled, the wait answers with [`Cancelled`](crate::Cancelled), which is an
//!    ordinary error on its way out of the task's functions.
//! 5. The [future of the scope](cancel::entered::InScope) gets the error. It asks
//!    [`exit_scope`](run::Run::exit_scope) whether the cancellation is its own: if so it swallows it, and only it.
//!
//! # A message, step by step
//!
//! One task receives from a channel, then another one sends.
//!
//! 1. `receive` finds nothing and parks the task in the channel's wait queue, with an empty place for the value:
//!    [`park_now`](block::wait_queue::WaitQueue::park_now). That registers a [wait](block::wait::Blocked) in the current scope,
//!    and the future answers that it is pending.
//! 2. `send` takes the first parked receiver out of the queue ([`unpark_one`](block::wait_queue::WaitQueue::unpark_one)), writes
//!    the value into its place, and reschedules its wait. The wake-up goes as above.
//! 3. `send` succeeded at once. It lets the others run before it returns, since every operation is a checkpoint:
//!    [`Turn`](cancel::checkpoint::Turn).
//! 4. In the next tick both are polled. The receiver collects its place, with the value. If its future was dropped in
//!    between, the value goes back to the channel.
//!
//! # Who may name whom
//!
//! Data does not know the run, the [state](run::state) of a run is made of data, and what is done to a run stands above
//! it. `.ci/circle` counts the modules that import each other in a circle. Five are left that cannot be cut: a
//! [waker](poll_tree::waker) finds the current [run](run::state), which holds the [tree](poll_tree::tree) and the
//! [waits](block::waits), whose [waiters](block::waiter) recognise our wakers.

pub(crate) mod block;
pub(crate) mod cancel;
pub(crate) mod ids;
pub(crate) mod list;
pub(crate) mod lowlevel;
pub(crate) mod misuse;
pub(crate) mod poll_tree;
pub(crate) mod run;
pub(crate) mod seconds;
pub(crate) mod table;
pub(crate) mod task;
