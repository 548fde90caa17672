//! The kinds of signals.

use std::fmt;

/// A signal, by its number.
///
/// ```
/// use terzetto::signal::Signal;
/// assert_eq!(Signal::INT.to_string(), "SIGINT");
/// assert_eq!(Signal::from_raw(2), Signal::INT);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

macro_rules! signals {
    ($($name:ident = $number:ident: $meaning:literal;)*) => {
        impl Signal {
            $(
                #[doc = $meaning]
                pub const $name: Signal = Signal(libc::$number);
            )*

            fn name(self) -> Option<&'static str> {
                match self {
                    $(Signal::$name => Some(stringify!($number)),)*
                    _ => None,
                }
            }
        }
    };
}

signals! {
    HUP = SIGHUP: "The terminal has hung up.";
    INT = SIGINT: "Ctrl-C.";
    QUIT = SIGQUIT: "Ctrl-\\: quit, with a core dump.";
    ILL = SIGILL: "An instruction that does not exist.";
    ABRT = SIGABRT: "Aborted.";
    FPE = SIGFPE: "Arithmetic that is not possible.";
    KILL = SIGKILL: "Kill: cannot be handled.";
    USR1 = SIGUSR1: "For the program's own use.";
    USR2 = SIGUSR2: "For the program's own use.";
    PIPE = SIGPIPE: "A write to a pipe that nobody reads.";
    ALRM = SIGALRM: "An alarm clock.";
    TERM = SIGTERM: "Please end.";
    CHLD = SIGCHLD: "A child process has ended or stopped.";
    CONT = SIGCONT: "Go on, if stopped.";
    STOP = SIGSTOP: "Stop: cannot be handled.";
    TSTP = SIGTSTP: "Ctrl-Z: stop.";
    WINCH = SIGWINCH: "The terminal's size has changed.";
}

impl Signal {
    /// The signal of this number.
    pub const fn from_raw(number: i32) -> Signal {
        Signal(number)
    }

    /// Its number.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Its bit in a set of signals.
    pub(crate) fn bit(self) -> u64 {
        u32::try_from(self.0 - 1).ok().and_then(|shift| 1u64.checked_shl(shift)).unwrap_or(0)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}
