//! How a run is set up.

#[cfg(feature = "guest")]
use crate::core::lowlevel::guest::{self, GuestRun, GuestTick};
#[cfg(feature = "observe")]
use crate::core::seconds::Seconds;
#[cfg(feature = "observe")]
use crate::observe::{Dumps, Measures, Recorder, TaskSocket, Watchdog, make_folder};
use crate::{
    Error,
    core::{
        lowlevel::{deadlock_state::OnDeadlock, instrument::Instrument},
        poll_tree::order::{BatchOrder, Chooser},
        run::{
            Run,
            clock::{Clock, SystemClock},
            run_loop::{RunOptions, run_to_end},
        },
    },
    threads::{JobDuration, Threads},
};
#[cfg(feature = "signal")]
use crate::{
    core::{run, run::extensions::DumpReason},
    signal::{Dump, Signal, Signals},
};
use std::rc::Rc;
#[cfg(feature = "observe")]
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// What SIGUSR1 does, if it is asked to.
#[cfg(feature = "signal")]
fn log_task_tree() {
    let (tree, blocked) = (crate::task_tree(), crate::blocked_report());
    log::warn!("the tree of tasks, as asked for by {}:\n{tree}{blocked}", Signal::USR1);
    run::with(|run| run.extensions.each(|extension| extension.dump(DumpReason::Signal)));
}

/// Options of a run.
///
/// ```
/// use terzetto::{Builder, testing::MockClock};
/// // A day passes in no time: the clock jumps to the next deadline when all tasks are blocked.
/// Builder::new().clock(MockClock::autojump()).run(async {
///     terzetto::sleep(86_400.0).await?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[must_use]
pub struct Builder {
    pub(crate) clock: Rc<dyn Clock>,
    pub(crate) instruments: Vec<Rc<dyn Instrument>>,
    seed: Option<u64>,
    /// A test that tries all orders within a batch.
    chooser: Option<Chooser>,
    /// A test that runs the jobs of threads on its own clock: how many seconds each takes.
    simulated_threads: Option<JobDuration>,
    on_deadlock: Option<OnDeadlock>,
    pub(crate) thread_stack_size: Option<usize>,
    quick_checkpoints: u32,
    #[cfg(feature = "signal")]
    pub(crate) ctrl_c: bool,
    #[cfg(feature = "signal")]
    pub(crate) dump_on_signal: Option<Dump>,
    #[cfg(feature = "observe")]
    measures: Option<Rc<Measures>>,
    #[cfg(feature = "observe")]
    task_socket: Option<TaskSocket>,
    #[cfg(feature = "observe")]
    watchdog: Option<Rc<Watchdog>>,
    /// Whether it shows stacks.
    #[cfg(feature = "observe")]
    stacks: bool,
    #[cfg(feature = "observe")]
    recorder: Option<Rc<Recorder>>,
    #[cfg(feature = "observe")]
    dump_folder: Option<PathBuf>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder::new()
    }
}

impl Builder {
    /// The defaults: the system's clock.
    pub fn new() -> Builder {
        Builder {
            clock: Rc::new(SystemClock::new()),
            instruments: Vec::new(),
            seed: None,
            chooser: None,
            simulated_threads: None,
            on_deadlock: None,
            thread_stack_size: None,
            quick_checkpoints: 0,
            #[cfg(feature = "signal")]
            ctrl_c: true,
            #[cfg(feature = "signal")]
            dump_on_signal: None,
            #[cfg(feature = "observe")]
            measures: None,
            #[cfg(feature = "observe")]
            task_socket: None,
            #[cfg(feature = "observe")]
            watchdog: None,
            #[cfg(feature = "observe")]
            stacks: false,
            #[cfg(feature = "observe")]
            recorder: None,
            #[cfg(feature = "observe")]
            dump_folder: None,
        }
    }

    /// Takes another clock. The `Rc` can be kept, to steer the clock from inside the run.
    pub fn clock(mut self, clock: Rc<impl Clock + 'static>) -> Builder {
        self.clock = clock;
        self
    }

    /// Installs an instrument from the start.
    pub fn instrument(mut self, instrument: Rc<impl Instrument + 'static>) -> Builder {
        self.instruments.push(instrument);
        self
    }

    /// Runs the tasks of each batch in a random order within each nursery, the same for the same seed. Without a seed
    /// they run in the order of their wakes, nursery by nursery.
    ///
    /// Programs should not depend on the order within a batch; running their tests with many seeds
    /// shows whether they do. The environment variable `TERZETTO_SEED` (a number, or `random`) does
    /// the same for every run that was given none; the seed in force is logged at level `info`.
    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = Some(seed);
        self
    }

    /// Lets a test choose the order within each batch.
    #[cfg(feature = "testing")]
    pub(crate) fn chooser(mut self, chooser: Chooser) -> Builder {
        self.chooser = Some(chooser);
        self
    }

    /// Lets jobs for threads run one at a time, each after so many seconds of the run's clock.
    #[cfg(feature = "testing")]
    pub(crate) fn simulated_threads(mut self, duration: impl Fn() -> f64 + 'static) -> Builder {
        self.simulated_threads = Some(Rc::new(duration));
        self
    }

    /// What the run does when all tasks are blocked and nothing that exists can wake any of them: see
    /// [`Deadlock`](crate::Deadlock). Under a mock clock the run fails, otherwise the log gets a report.
    ///
    /// If this is not called, the environment variable `TERZETTO_DEADLOCK` (`fail`, `log` or `ignore`) decides before
    /// these defaults do. So the tests of a program that use the system's clock can be made to fail, too.
    ///
    /// ```
    /// use terzetto::{Builder, Deadlock, OnDeadlock, sync::Event};
    /// let outcome = Builder::new().on_deadlock(OnDeadlock::Fail).run(async { Ok(Event::new().wait().await?) });
    /// assert!(outcome.unwrap_err().downcast_ref::<Deadlock>().is_some());
    /// ```
    pub fn on_deadlock(mut self, then: OnDeadlock) -> Builder {
        self.on_deadlock = Some(then);
        self
    }

    /// The size of the worker threads' stacks, in bytes; the default is the standard library's.
    pub fn thread_stack_size(mut self, bytes: usize) -> Builder {
        self.thread_stack_size = Some(bytes);
        self
    }

    /// Lets up to `budget` operations in one step of a task go on at once, if they succeed at once. The default is zero:
    /// each of them lets other tasks run first, as in trio.
    ///
    /// This is for programs that send many small messages. A message between two tasks then costs some third of the instructions. The
    /// price is fairness: a task may do so many operations before others run. It holds for channels, watched values,
    /// locks, semaphores, capacity and rate limiters, events that are set already, sockets and pipes, and
    /// [`cancellable`](crate::cancellable). Each of them still fails in a cancelled scope.
    /// [`checkpoint`](crate::checkpoint()) and [`sleep`](crate::sleep()) always let others run.
    ///
    /// ```
    /// use terzetto::{Builder, channel};
    /// Builder::new().quick_checkpoints(32).run(async {
    ///     let (sender, receiver) = channel(100);
    ///     for number in 0..100 {
    ///         sender.send(number).await?; // three of these calls let others run
    ///     }
    ///     assert_eq!(receiver.receive().await?, 0);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn quick_checkpoints(mut self, budget: u32) -> Builder {
        self.quick_checkpoints = budget;
        self
    }

    /// Whether Ctrl-C, when nobody else handles it, is raised in the main task as an error, as trio
    /// does it (the default), or is left to do what it does: see [`crate::signal`].
    #[cfg(feature = "signal")]
    pub fn ctrl_c(mut self, raised: bool) -> Builder {
        self.ctrl_c = raised;
        self
    }

    /// Whether the signal `SIGUSR1` writes the [tree of tasks](crate::task_tree) and the
    /// [report of blocked tasks](crate::blocked_report) to the log, at level `warn`, for as long as no receiver is open
    /// for it: to see what hangs in a running program. Off by default: then the signal does what it does.
    #[cfg(feature = "signal")]
    pub fn dump_on_sigusr1(mut self, dumps: bool) -> Builder {
        self.dump_on_signal = dumps.then_some(log_task_tree);
        self
    }

    /// Measures each task: its age, how often it was polled, and the time that took. [Snapshots](crate::observe::snapshot)
    /// show it. Each step of a task then costs two readings of the machine's clock. Off by default.
    #[cfg(feature = "observe")]
    pub fn measure_tasks(mut self, measures: bool) -> Builder {
        let installed = self.measures.take();
        self.instruments.retain(|other| {
            installed.as_ref().is_none_or(|own| !std::ptr::addr_eq(Rc::as_ptr(own), Rc::as_ptr(other)))
        });
        if measures {
            let made = Rc::new(Measures::default());
            self.instruments.push(made.clone());
            self.measures = Some(made);
        }
        self
    }

    /// Opens a Unix socket at `path`, on which the run gives a [snapshot](crate::observe::snapshot) to whoever connects,
    /// in one line: `socat - UNIX:path`, or `terzetto tasks path`. Only the user of this process may connect. A thread
    /// serves it; a run that does not answer within two seconds is reported as such. The socket is removed when the run
    /// ends. If a process that has ended has left its socket there, it is replaced.
    ///
    /// # Errors
    /// The system's error, with the path: for example, if another process listens there.
    ///
    /// ```
    /// use std::{io::Read, os::unix::net::UnixStream};
    /// use terzetto::{Builder, to_thread};
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("tasks");
    /// Builder::new().task_socket(&path)?.run(async {
    ///     let mut json = String::new();
    ///     let json = to_thread::run_sync(move || UnixStream::connect(path)?.read_to_string(&mut json).map(|_| json));
    ///     assert!(json.await??.contains(r#""name":"main""#));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    #[cfg(feature = "observe")]
    pub fn task_socket(mut self, path: impl AsRef<Path>) -> io::Result<Builder> {
        self.task_socket = Some(TaskSocket::bind(path.as_ref())?);
        Ok(self)
    }

    /// Records what the tasks do. The recorder can be asked for its [timeline](crate::observe::Timeline) during the run
    /// and after it.
    #[cfg(feature = "observe")]
    pub fn record(mut self, recorder: Rc<Recorder>) -> Builder {
        self.instruments.push(recorder.clone());
        self.recorder = Some(recorder);
        self
    }

    /// Writes files into `folder` when the run deadlocks, when it panics, and when SIGUSR1 comes, if that
    /// [writes the tree of tasks](Builder::dump_on_sigusr1). One is a [snapshot](crate::observe::snapshot) (not after a
    /// panic, when the tasks are gone). The other is a [trace](crate::observe::Timeline::trace_json), if the run is
    /// [recorded](Builder::record). The log names each file. At most a hundred dumps are written in one run.
    ///
    /// # Errors
    /// If the folder is not there and cannot be made.
    ///
    /// ```
    /// use terzetto::{Builder, observe::Recorder, sleep_forever, testing::MockClock};
    /// let folder = tempfile::tempdir()?;
    /// let builder = Builder::new().record(Recorder::last(1_000)).dump_into(folder.path())?;
    /// builder.clock(MockClock::autojump()).run(async { Ok(sleep_forever().await?) }).unwrap_err();
    /// // The snapshot and the trace.
    /// assert_eq!(folder.path().read_dir()?.count(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "observe")]
    pub fn dump_into(mut self, folder: impl AsRef<Path>) -> io::Result<Builder> {
        self.dump_folder = Some(make_folder(folder.as_ref())?);
        Ok(self)
    }

    /// Names each task in the log, at level `warn`, that runs for `limit` without a checkpoint, since all other tasks
    /// wait for it meanwhile. The log names it while it still runs, and says how long it took when it is done. A thread
    /// of its own does that. Steps of children inside a task's step do not count for the task. Off by default; 100 ms is
    /// a good limit.
    ///
    /// # Panics
    /// If `limit` is negative or NaN.
    ///
    /// ```
    /// use terzetto::Builder;
    /// Builder::new().watchdog(0.1).run(async { Ok(()) })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    #[cfg(feature = "observe")]
    pub fn watchdog(mut self, limit: impl Seconds) -> Builder {
        let limit = limit.checked_seconds("limit");
        let limit = Duration::try_from_secs_f64(limit).unwrap_or(Duration::MAX);
        let made = Watchdog::new(limit);
        self.instruments.push(made.clone());
        self.watchdog = Some(made);
        self
    }

    /// Whether the [watchdog](Builder::watchdog) also logs the native stack of a step that takes too long: the functions
    /// that it is in at that moment, with files and lines. Off by default.
    ///
    /// This works on Linux, on x86-64. The code for AArch64 is type-checked, and has not been run. It needs no frame pointers. A
    /// build without debug information has functions without lines; a stripped one has only addresses. Elsewhere the log
    /// says that there are no stacks.
    ///
    /// Nothing is done before a step takes too long. Then the watchdog's thread sends a signal to the run's thread, whose
    /// handler copies the registers and up to 256 KiB of the stack, and goes on. That takes some microseconds. The copy
    /// is unwound by the watchdog's thread. For this, the first run takes the highest real-time signal that has no
    /// handler, for the rest of the process's life. A blocking system call in the step may be interrupted by the signal,
    /// as by that of any profiler: those that the kernel does not restart (`poll`, for one) return `EINTR`.
    ///
    /// ```
    /// use terzetto::Builder;
    /// Builder::new().watchdog(0.1).watchdog_stacks(true).run(async { Ok(()) })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    #[cfg(feature = "native-stacks")]
    pub fn watchdog_stacks(mut self, shows: bool) -> Builder {
        self.stacks = shows;
        self
    }

    /// The seed in force.
    pub(crate) fn seed_in_force(&self) -> Option<u64> {
        let seed = self.seed.or_else(|| {
            let text = std::env::var("TERZETTO_SEED").ok()?;
            match text.parse() {
                Ok(seed) => Some(seed),
                Err(_) if text == "random" => Some(fastrand::u64(..)),
                Err(_) => {
                    log::warn!("TERZETTO_SEED is `{text}`, and must be a number or `random`: ignored");
                    None
                }
            }
        })?;
        log::info!("tasks of a batch run in a random order; seed {seed}");
        Some(seed)
    }

    /// What the run does when nothing can wake it.
    fn on_deadlock_in_force(&self) -> OnDeadlock {
        let asked = || match std::env::var("TERZETTO_DEADLOCK").ok()?.as_str() {
            "fail" => Some(OnDeadlock::Fail),
            "log" => Some(OnDeadlock::Log),
            "ignore" => Some(OnDeadlock::Ignore),
            text => {
                log::warn!("TERZETTO_DEADLOCK is `{text}`, and must be `fail`, `log` or `ignore`: ignored");
                None
            }
        };
        let usual = if self.clock.is_for_tests() { OnDeadlock::Fail } else { OnDeadlock::Log };
        self.on_deadlock.or_else(asked).unwrap_or(usual)
    }

    /// Runs `main` as [`run`] does, with these options.
    ///
    /// # Errors
    /// As [`run`].
    ///
    /// # Panics
    /// As [`run`].
    pub fn run<T>(self, main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        run_to_end(self.into_options(), Box::pin(main))
    }

    /// Starts a run that is turned by the loop of a host; trio's `start_guest_run`.
    ///
    /// Whenever the run has something to do, `schedule` is called, from this thread or another: it has
    /// to make the host's loop call [`GuestTick::run`], soon, on this thread. When the run is over,
    /// `done` is called with its outcome: in the last tick, or where the [`GuestRun`] is dropped before that. It is not
    /// called if the run panics. When this returns, the run is set up, and nothing of `main` has run. Between ticks no
    /// run is current, unless the host [enters](GuestRun::enter) this one. Handles of the guest's
    /// that the host holds work all the same (a scope is cancelled, an event set, a value sent); all else that it wants
    /// of the guest goes through its [`Token`](crate::lowlevel::Token), by calls that do not block:
    /// [`Token::run_sync_soon`](crate::lowlevel::Token::run_sync_soon).
    ///
    /// # Errors
    /// A [`RunError`](crate::RunError) if the run could not start.
    ///
    /// ```
    /// use std::{cell::RefCell, rc::Rc, sync::mpsc};
    /// use terzetto::{Builder, sleep, lowlevel::GuestTick};
    ///
    /// // A host: a loop that runs what it is sent.
    /// let (send, ticks) = mpsc::channel::<GuestTick>();
    /// let outcome = Rc::new(RefCell::new(None));
    /// let result = outcome.clone();
    /// let guest = Builder::new().start_guest(
    ///     async { sleep(0.01).await?; Ok("guest") },
    ///     move |tick| drop(send.send(tick)),
    ///     move |end| *result.borrow_mut() = Some(end),
    /// )?;
    /// while !guest.is_over() {
    ///     ticks.recv()?.run();
    /// }
    /// assert_eq!(outcome.take().unwrap()?, "guest");
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    #[cfg(feature = "guest")]
    pub fn start_guest<T, F>(
        self,
        main: F,
        schedule: impl Fn(GuestTick) + Send + Sync + 'static,
        done: impl FnOnce(Result<T, Error>) + 'static,
    ) -> Result<GuestRun, Error>
    where
        T: 'static,
        F: Future<Output = Result<T, Error>> + 'static,
    {
        guest::start_guest(self.into_options(), main, schedule, done)
    }

    /// The same for the core, which knows nothing of signals.
    fn into_options(self) -> RunOptions {
        let order = match &self.chooser {
            Some(chooser) => BatchOrder::Chosen(chooser.clone()),
            None => self.seed_in_force().map_or(BatchOrder::AsWoken, BatchOrder::random),
        };
        let on_deadlock = self.on_deadlock_in_force();
        let plug_in = move |run: &Run| {
            #[cfg(feature = "signal")]
            if self.ctrl_c {
                Signals::of(run).claim_interrupt();
            }
            #[cfg(feature = "signal")]
            if let Some(dump) = self.dump_on_signal {
                Signals::of(run).claim_dump(dump);
            }
            #[cfg(feature = "observe")]
            {
                if let Some(measures) = self.measures {
                    measures.plug_into(run);
                }
                if let Some(watchdog) = self.watchdog {
                    watchdog.plug_into(run, self.stacks);
                }
                if let Some(folder) = self.dump_folder {
                    Dumps::plug_into(folder, self.recorder, run);
                }
                if let Some(socket) = self.task_socket {
                    socket.plug_into(run);
                }
            }
            if let Some(duration) = self.simulated_threads {
                Threads::of(run).simulate(duration);
            }
        };
        RunOptions {
            clock: self.clock,
            instruments: self.instruments,
            order,
            on_deadlock,
            thread_stack_size: self.thread_stack_size,
            quick_checkpoints: self.quick_checkpoints,
            plug_in: Box::new(plug_in),
        }
    }
}

/// Runs `main` and everything it starts on this thread, and returns what `main` returns.
///
/// Mirrors `trio.run`. `main` may borrow from the caller's frame.
///
/// # Errors
/// The error of `main`, unchanged; a [`RunError`](crate::RunError) if the run could not start; a Ctrl-C that came too
/// late to be raised in `main`.
///
/// # Panics
/// If `main` does: the panic goes through.
///
/// ```
/// let greeting = String::from("hello");
/// let length = terzetto::run(async {
///     terzetto::sleep(0.001).await?;
///     Ok(greeting.len())
/// })?;
/// assert_eq!(length, 5);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn run<T>(main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    Builder::new().run(main)
}
