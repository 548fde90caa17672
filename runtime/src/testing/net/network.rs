//! The handle of a simulated network.

use crate::{
    Error,
    io::{net::set_simulated_network, set_custom_hostname_resolver},
    lowlevel::spawn_system_task,
    testing::net::{
        Fault, Host, Link, RandomFaults, Report, installed::Installed, link::LinkInUse, names::Names,
        report::UNREPORTED, state::State,
    },
};
use std::{fmt, rc::Rc};

/// A simulated network, in which the run's TCP and UDP sockets are from the moment of its making.
///
/// All randomness in it comes from one seed. See the [module](super) for what it simulates.
///
/// ```
/// use terzetto::{Builder, current_time, nursery, testing::{MockClock, net::{Link, Network}}};
/// use terzetto::io::{Listener, ReceiveStream, SendStream, TcpListener, open_tcp_stream};
/// Builder::new().clock(MockClock::autojump()).run(async {
///     let network = Network::install(1)?;
///     network.set_link(Link::new().latency(0.1..=0.1));
///     let server = network.host("server");
///     nursery(async |n| {
///         n.start_soon(server.run(async {
///             let stream = TcpListener::bind(([0, 0, 0, 0], 80))?.accept().await?;
///             Ok(stream.send_all(b"hello").await?)
///         }));
///         network.host("client").run(async {
///             let stream = open_tcp_stream("server", 80).await?;
///             let mut buffer = [0; 16];
///             assert_eq!(stream.receive_some(&mut buffer).await?, 5);
///             Ok(())
///         }).await
///     }).await?;
///     // The request to connect, its acceptance (with which the server's bytes come).
///     assert!((current_time() - 0.2).abs() < 1e-9);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct Network(pub(super) Rc<State>);

impl Network {
    /// Makes a network for this run. From now on the run's sockets and names are in it. It begins with one host,
    /// `main`, to which all tasks belong that no other host [runs](Host::run).
    ///
    /// It takes the place of a network that was installed before, and of a
    /// [custom resolver](crate::io::set_custom_hostname_resolver).
    ///
    /// # Errors
    /// If the run is about to end.
    ///
    /// # Panics
    /// Outside a run.
    pub fn install(seed: u64) -> Result<Network, Error> {
        let state = State::new(seed);
        state.host_named("main");
        let pumped = state.clone();
        spawn_system_task("the simulated network", async move {
            loop {
                while let Some(event) = pumped.events.due(pumped.now()) {
                    pumped.happen(event);
                }
                pumped.events.wait().await?;
            }
        })?;
        if let Some(former) = set_simulated_network(Rc::new(Installed(state.clone()))) {
            former.run_ends();
        }
        set_custom_hostname_resolver(Some(Rc::new(Names(state.clone()))));
        Ok(Network(state))
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// A generator of random numbers for the program, from the seed. Each call gives another one.
    pub fn random(&self) -> fastrand::Rng {
        self.0.random.borrow_mut().fork()
    }

    /// The host of this name. It is made if there is none yet, with an address of its own in `10.0.0.0/8`.
    pub fn host(&self, name: &str) -> Host {
        Host { network: self.0.clone(), host: self.0.host_named(name) }
    }

    /// Sets what the ways between all hosts are like, also between those that are not made yet.
    pub fn set_link(&self, link: Link) {
        let (loss, duplicates) = self.ask_for_faults_of(&link, "between all hosts");
        let mut links = self.0.links.borrow_mut();
        links.in_use.clear();
        links.usual = Some((link, loss, duplicates));
    }

    /// Sets what the ways between two hosts are like, in both directions.
    ///
    /// # Panics
    /// If one of the hosts is not there.
    pub fn set_link_between(&self, one: &str, other: &str, link: Link) {
        self.set_link_from(one, other, link.clone());
        self.set_link_from(other, one, link);
    }

    /// Sets what the way from one host to another is like. The way back stays as it is.
    ///
    /// # Panics
    /// If one of the hosts is not there.
    pub fn set_link_from(&self, from: &str, to: &str, link: Link) {
        let ids = (self.0.expect_host(from).id, self.0.expect_host(to).id);
        let (loss, duplicates) = self.ask_for_faults_of(&link, &format!("from {from} to {to}"));
        let in_use = LinkInUse { link, busy_until: 0.0, loss, duplicates };
        self.0.links.borrow_mut().in_use.insert(ids, in_use);
    }

    fn ask_for_faults_of(&self, link: &Link, place: &str) -> (Option<usize>, Option<usize>) {
        let ask = |part: f64, what: &str| {
            let ask = || self.0.record.asks_for(format!("{what} {place}"), self.0.now());
            (part > 0.0).then(ask)
        };
        (ask(link.loss, "packets are lost"), ask(link.duplicates, "datagrams arrive twice"))
    }

    /// Lets a fault happen now.
    ///
    /// # Panics
    /// If it names a host that is not there.
    pub fn inject(&self, fault: Fault) {
        let place = self.ask_for(&fault, self.0.now());
        self.0.inject(&fault, place);
    }

    fn ask_for(&self, fault: &Fault, at: f64) -> usize {
        match fault.is_repair() {
            true => UNREPORTED,
            false => self.0.record.asks_for(fault.to_string(), at),
        }
    }

    /// Lets faults happen by a script: each after so many seconds from now.
    ///
    /// # Panics
    /// If a time is negative or not finite. If a fault names a host that is not there when it is due, the run ends with
    /// an [`InternalError`](crate::InternalError).
    ///
    /// ```
    /// use terzetto::{Builder, testing::{MockClock, net::{Fault, Network}}};
    /// let report = Builder::new().clock(MockClock::autojump()).run(async {
    ///     let network = Network::install(1)?;
    ///     let leader = network.host("leader");
    ///     network.script([(10.0, Fault::crash("leader")), (12.0, Fault::restart("leader"))]);
    ///     leader.serve(async || Ok(terzetto::sleep(11.0).await?)).await?;
    ///     Ok(network.report())
    /// })?;
    /// assert!(report.all_happened().is_ok());
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn script(&self, faults: impl IntoIterator<Item = (f64, Fault)>) {
        for (after, fault) in faults {
            assert!(
                after >= 0.0 && after.is_finite(),
                "the time of a fault ({fault}) must be finite and not negative, and is {after}"
            );
            let at = self.0.now() + after;
            let place = self.ask_for(&fault, at);
            let mut script = self.0.script.borrow_mut();
            script.push((fault, place));
            self.0.events.plan(at, super::events::Event::Fault(script.len() - 1));
        }
    }

    /// Lets faults happen at random from now on. The seed chooses them. They take the place of those before:
    /// `RandomFaults::default()` ends them.
    ///
    /// # Panics
    /// If they name a host that is not there.
    pub fn random_faults(&self, faults: RandomFaults) {
        self.0.begin_random_faults(faults);
    }

    /// Which faults were asked for so far, and which have had an effect.
    pub fn report(&self) -> Report {
        self.0.record.report()
    }

    /// Keeps the lines of the [trace](Network::trace) from now on. Off by default, since they take memory.
    pub fn record_trace(&self) {
        self.0.trace.record_lines();
    }

    /// What has happened in the network since [`Network::record_trace`], one line for each packet that has arrived and
    /// each fault: time, what, from and to whom, how many bytes, and a hash of them.
    pub fn trace(&self) -> Vec<String> {
        self.0.trace.lines()
    }

    /// A number that stands for the whole trace, also if its lines are not kept. Two runs with one seed have equal
    /// ones, if the program depends on nothing but its run.
    pub fn fingerprint(&self) -> u64 {
        self.0.trace.fingerprint()
    }

    /// How many lines the trace has, also if they are not kept.
    pub fn events(&self) -> u64 {
        self.0.trace.events()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("seed", &self.0.seed).finish_non_exhaustive()
    }
}
