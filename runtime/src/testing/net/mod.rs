//! A simulated network: hosts, links, faults, all from one seed and on the run's clock.
//!
//! A program for several hosts is hard to test. Real networks are slow, and fail when they like. Here all hosts are in
//! one run, and [`Network::install`] puts the run's sockets into a network that the test controls. The program runs
//! unmodified: `TcpStream::connect`, `open_tcp_stream`, `TcpListener::bind`, `serve_tcp`, `UdpSocket`, `getaddrinfo`,
//! and all that is built on them (TLS, `hyper`, `futures-io`). Together with a [mock clock](crate::testing::MockClock)
//! an hour of it takes milliseconds, and a seed repeats each run exactly.
//!
//! # What is simulated
//!
//! - **Hosts** with names and addresses ([`Network::host`]). [`Host::run`] runs a program on one. All tasks that it
//!   starts belong to that host. `localhost` is the host itself.
//! - **Links** ([`Link`]): latency, fixed or at random from the seed; bandwidth; loss. TCP sends lost packets again,
//!   with the pauses that TCP makes, so loss shows as delay there. Datagrams may get lost, arrive twice, and overtake
//!   others.
//! - **Faults** ([`Fault`]): partitions in one direction or both; crashes and restarts of hosts; a reset in the middle
//!   of a message; connections that are forgotten and so stay half open. A script ([`Network::script`]) or the seed
//!   ([`RandomFaults`]) decides.
//! - **TCP as programs see it**: refused and timed-out connections, the queue of a listener, the end of each direction,
//!   a window of 64 KiB, resets for data that nobody will read, and giving up after a quarter of an hour.
//!
//! # What a test should check
//!
//! The commonest false green of such a test is a fault that had no effect. So the [`Report`] counts effects, and
//! [`Report::all_happened`] fails if a fault never had one. [`Simulation`] runs a program with many seeds, checks that,
//! and names the seed that fails.
//!
//! # What is not simulated
//!
//! Sockets of the Unix domain, and sockets that a program makes itself and passes on (`from_std`), are the system's. A
//! simulated socket has no descriptor: `try_clone_fd`, `into_fd`, `receive_with` and `send_with` fail as `Unsupported`.
//! Options of sockets are remembered and have no effect. Multicast, broadcast, and the messages of ICMP for datagrams
//! do not exist. Hosts share one clock: there is no clock skew. Look-ups of names take no time. Jobs of worker threads
//! are done at times drawn from the seed under [`Simulation`], and otherwise in real threads.
//!
//! # One seed, one run
//!
//! Two runs with one seed have equal traces ([`Network::trace`]), whatever the real time, and on any machine.
//! A program that draws its own random numbers repeats itself only if it takes them from [`Network::random`]. TLS draws
//! its keys from the system, so the bytes of an encrypted connection differ from run to run.
//!
//! # How it works
//!
//! Data does not know the functions that change it. `state` has what the network knows, and is made of data: `hosts`
//! (named by `ids`), `link`, `connection`, `listener`, `datagrams`, `events`, `fault`, `random_faults`, `report`,
//! `trace`.
//!
//! Functions come on top. `events` has what will happen, in the order of time, and one system task of the run makes it
//! `happen`. `travel` decides when a packet arrives, and `routes` where. TCP is `handshake` and `segments`.
//! `connection_socket`, `listening_socket` and `datagram_socket` are what programs have, and `installed` makes them.
//! `names` looks up names. `inject`, `random_inject` and `crash` let something go wrong.
//!
//! Users see `network`, `host` and `simulation`. The model is that of turmoil and of FoundationDB's simulator, in one
//! run of one thread.

mod connection;
mod connection_socket;
mod crash;
mod datagram_socket;
mod datagrams;
mod events;
mod fault;
mod handshake;
mod happen;
mod host;
mod hosts;
mod ids;
mod inject;
mod installed;
mod link;
mod listener;
mod listening_socket;
mod names;
mod network;
mod random_faults;
mod random_inject;
mod report;
mod routes;
mod segments;
mod simulation;
mod state;
mod trace;
mod travel;

pub use fault::Fault;
pub use host::{Host, HostCrashed};
pub use link::Link;
pub use network::Network;
pub use random_faults::RandomFaults;
pub use report::{AskedFault, FaultsMissing, Report};
pub use simulation::{Simulated, Simulation};
