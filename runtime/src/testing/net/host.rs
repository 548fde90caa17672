//! A host of a simulated network: where programs run.

use crate::{
    Error,
    core::task::{context_values::TaskContext, in_context::in_context},
    testing::net::{
        hosts::HostState,
        ids::{HOME, Home},
        state::State,
    },
};
use std::{fmt, future::poll_fn, net::IpAddr, pin::pin, rc::Rc, task::Poll};

/// A host of a simulated network.
///
/// Which host a task belongs to is inherited: all tasks that a program starts belong to the host that runs it. So the
/// program need not know that it is simulated.
///
/// ```
/// use std::cell::Cell;
/// use terzetto::{Builder, nursery, sleep, sleep_forever, testing::{MockClock, net::Network}};
/// Builder::new().clock(MockClock::autojump()).run(async {
///     let network = Network::install(1)?;
///     let (host, starts) = (network.host("database"), Cell::new(0));
///     nursery(async |n| {
///         n.start_soon(host.serve(async || {
///             starts.set(starts.get() + 1);
///             Ok(sleep_forever().await?)
///         }));
///         sleep(1.0).await?;
///         host.crash();
///         sleep(1.0).await?;
///         host.restart();
///         sleep(1.0).await?;
///         assert_eq!(starts.get(), 2);
///         n.cancel_scope().cancel();
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct Host {
    pub(super) network: Rc<State>,
    pub(super) host: Rc<HostState>,
}

/// The host on which a program ran has crashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCrashed {
    host: String,
}

impl HostCrashed {
    /// The name of the host.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for HostCrashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host {} has crashed", self.host)
    }
}

impl std::error::Error for HostCrashed {}

/// Counts a program of a host as long as it lives.
struct Running(Rc<HostState>);

impl Running {
    fn begin(host: &Rc<HostState>) -> Running {
        host.programs.set(host.programs.get() + 1);
        Running(host.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.programs.set(self.0.programs.get() - 1);
    }
}

impl Host {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.host.name
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.host.addresses.borrow()[0]
    }

    /// Gives it a further address, of either family.
    ///
    /// # Panics
    /// If the address belongs to another host.
    pub fn add_address(&self, address: IpAddr) {
        self.network.add_address(&self.host, address);
    }

    /// Whether it is up.
    pub fn is_up(&self) -> bool {
        self.host.is_up.get()
    }

    /// Cuts its power: see [`Fault::Crash`](super::Fault::Crash). The report does not count this, since no fault was
    /// asked for. Does nothing if the host is down.
    pub fn crash(&self) {
        self.network.crash(&self.host);
    }

    /// Starts it again. Does nothing if it is up.
    pub fn restart(&self) {
        self.network.restart(&self.host);
    }

    /// Runs a program on this host, up to its end or up to the host's crash. At a crash the program's future is
    /// dropped: it does not clean up by awaiting anything, but its destructors run. What they send goes nowhere.
    ///
    /// # Cancellation
    /// A cancellation reaches the program, which may clean up.
    ///
    /// # Errors
    /// The program's error; [`HostCrashed`] if the host crashes, or is down already.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn run<T>(&self, program: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match self.run_until_crash(program).await? {
            Some(outcome) => Ok(outcome),
            None => Err(Error::from(HostCrashed { host: self.host.name.clone() })),
        }
    }

    /// Runs a program on this host. Whenever the host crashes, the program is stopped, and when the host is started
    /// again, the program begins anew.
    ///
    /// # Cancellation
    /// A cancellation reaches the program, or the wait for the host to be started.
    ///
    /// # Errors
    /// The program's error.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn serve<T>(&self, program: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
        loop {
            while !self.host.is_up.get() {
                self.host.restarted.park(()).await.1?;
            }
            if let Some(outcome) = self.run_until_crash(program()).await? {
                return Ok(outcome);
            }
        }
    }

    /// Runs a program. `None` means that the host has crashed.
    async fn run_until_crash<T>(
        &self,
        program: impl Future<Output = Result<T, Error>>,
    ) -> Result<Option<T>, Error> {
        let host = &self.host;
        let life = host.life.get();
        if !host.is_up.get() {
            return Ok(None);
        }
        let _running = Running::begin(host);
        let home = Home { network: self.network.number, host: host.id, life };
        // The context is a copy of the task's, so that the task itself stays where it is.
        let program = async {
            HOME.set(home);
            program.await
        };
        let mut program = Some(Box::pin(in_context(TaskContext::current(), program)));
        let mut crash = Some(pin!(host.crashed.park(())));
        poll_fn(move |cx| {
            if host.life.get() != life {
                program = None;
                return Poll::Ready(Ok(None));
            }
            if let Some(waiting) = &mut crash
                && let Poll::Ready((_, outcome)) = waiting.as_mut().poll(cx)
            {
                crash = None;
                match outcome {
                    Err(cancelled) if cancelled.is_interrupt() => return Poll::Ready(Err(cancelled.into())),
                    // The program learns of a cancellation itself.
                    Err(_) | Ok(()) => {}
                }
            }
            match &mut program {
                Some(program) => program.as_mut().poll(cx).map_ok(Some),
                None => Poll::Ready(Ok(None)),
            }
        })
        .await
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("name", &self.host.name).finish_non_exhaustive()
    }
}
