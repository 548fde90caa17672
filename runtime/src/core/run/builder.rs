//! How a run is set up.

#[cfg(feature = "signal")]
use crate::signal::Dump;
use crate::{
    core::{
        lowlevel::instrument::Instrument,
        run::clock::{Clock, SystemClock},
    },
    signal::Signal,
};
use std::{error::Error as StdError, fmt, rc::Rc};

/// Why a run could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// This thread is inside a run already.
    Nested,
    /// The reactor could not be made.
    Reactor(std::io::Error),
    /// The host of a [guest run](crate::GuestRun) ended before it.
    Abandoned,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Nested => {
                f.write_str("`run` was called inside a run on the same thread; use a nursery")
            }
            RunError::Abandoned => f.write_str("the host of a guest run ended before the run was over"),
            RunError::Reactor(_) => f.write_str("the run's reactor could not be made"),
        }
    }
}

impl StdError for RunError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            RunError::Nested | RunError::Abandoned => None,
            RunError::Reactor(error) => Some(error),
        }
    }
}

/// What SIGUSR1 does, if it is asked to.
#[cfg(feature = "signal")]
fn log_task_tree() {
    log::warn!("the tree of tasks, as asked for by {}:\n{}", Signal::USR1, crate::task_tree());
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
    pub(crate) thread_stack_size: Option<usize>,
    #[cfg(feature = "signal")]
    pub(crate) ctrl_c: bool,
    #[cfg(feature = "signal")]
    pub(crate) dump_on_signal: Option<Dump>,
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
            thread_stack_size: None,
            #[cfg(feature = "signal")]
            ctrl_c: true,
            #[cfg(feature = "signal")]
            dump_on_signal: None,
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

    /// Runs the tasks of each batch in a random order, the same for the same seed. Without a seed
    /// they run in the order of their wakes.
    ///
    /// Programs should not depend on the order within a batch; running their tests with many seeds
    /// shows whether they do. The environment variable `TERZETTO_SEED` (a number, or `random`) does
    /// the same for every run that was given none; the seed in force is logged at level `info`.
    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = Some(seed);
        self
    }

    /// The size of the worker threads' stacks, in bytes; the default is the standard library's.
    pub fn thread_stack_size(mut self, bytes: usize) -> Builder {
        self.thread_stack_size = Some(bytes);
        self
    }

    /// Whether Ctrl-C, when nobody else handles it, is raised in the main task as an error, as trio
    /// does it (the default), or is left to do what it does: see [`crate::signal`].
    #[cfg(feature = "signal")]
    pub fn ctrl_c(mut self, raised: bool) -> Builder {
        self.ctrl_c = raised;
        self
    }

    /// Whether the signal `SIGUSR1` writes the [tree of tasks](crate::task_tree) to the log, at level
    /// `warn`, for as long as no receiver is open for it: to see what hangs in a running program. Off by
    /// default: then the signal does what it does.
    #[cfg(feature = "signal")]
    pub fn dump_on_sigusr1(mut self, dumps: bool) -> Builder {
        self.dump_on_signal = dumps.then_some(log_task_tree);
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
}
