//! SOCK-01 and SOCK-02: connecting to a host, by happy eyeballs.

use std::{
    cell::{Cell, RefCell},
    io::{self, ErrorKind},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};
use terzetto::{
    CancelScope, Error, checkpoint, current_time,
    io::{
        ConnectFailed, Listener, StreamError, TcpConnector, TcpListener, happy_eyeballs,
        happy_eyeballs_order, open_tcp_stream,
    },
    move_on_after, nursery, sleep,
    testing::assert_checkpoints,
};
use terzetto_tests::run_mock;

/// What happens to attempts: when each begins, how many streams are open.
#[derive(Default)]
struct Network {
    begun: RefCell<Vec<(usize, f64)>>,
    under_way: Cell<usize>,
    open: Rc<Cell<usize>>,
}

/// A connection of the pretended network.
#[derive(Debug)]
struct Connection {
    target: usize,
    open: Rc<Cell<usize>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
    }
}

struct UnderWay<'a>(&'a Cell<usize>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// After how many seconds an attempt ends, and whether well.
type Fate = (f64, bool);

impl Network {
    async fn attempt(&self, start: f64, target: usize, fate: Fate) -> Result<Connection, StreamError> {
        self.begun.borrow_mut().push((target, current_time() - start));
        self.under_way.set(self.under_way.get() + 1);
        let _under_way = UnderWay(&self.under_way);
        sleep(fate.0).await?;
        match fate.1 {
            false => Err(StreamError::Io(io::Error::other(format!("refused {target}")))),
            true => {
                self.open.set(self.open.get() + 1);
                Ok(Connection { target, open: self.open.clone() })
            }
        }
    }

    /// Connects to targets with these fates; returns the outcome, and how long it took.
    async fn connect(&self, fates: &[Fate]) -> (Result<Connection, Error>, f64) {
        let start = current_time();
        let targets: Vec<_> = fates.iter().copied().enumerate().collect();
        let attempt = async |(target, fate)| self.attempt(start, target, fate).await;
        let outcome = happy_eyeballs(targets, 0.25, attempt).await;
        assert_eq!(self.under_way.get(), 0, "no attempt is left");
        // Time that was added up in different ways differs in its last bit.
        let rounded = |time: f64| (time * 1e6).round() / 1e6;
        self.begun.borrow_mut().iter_mut().for_each(|(_, time)| *time = rounded(*time));
        (outcome, rounded(current_time() - start))
    }
}

/// Checks one case: who wins after how long, and when each attempt began.
fn case(fates: &[Fate], winner: Option<usize>, time: f64, begun: &[f64]) {
    run_mock(async {
        let network = Network::default();
        let (outcome, took) = network.connect(fates).await;
        let begun: Vec<_> = begun.iter().copied().enumerate().collect();
        assert_eq!(*network.begun.borrow(), begun, "of {fates:?}");
        assert_eq!(outcome.as_ref().ok().map(|connection| connection.target), winner, "of {fates:?}");
        assert_eq!(took, time, "of {fates:?}");
        assert_eq!(network.open.get(), winner.iter().len(), "losers are closed, of {fates:?}");
        Ok(())
    })
    .unwrap();
}

const NEVER: f64 = 1e5;

#[test]
fn sock_01_attempts_are_staggered_a_failure_hurries_the_first_success_wins() {
    // One target.
    case(&[(0.123, true)], Some(0), 0.123, &[0.0]);
    case(&[(0.123, false)], None, 0.123, &[0.0]);
    // The second does not start if the first is quick.
    case(&[(0.2, true), (0.0, true)], Some(0), 0.2, &[0.0]);
    // Impatience: the next starts after 250 ms, and who is first wins.
    case(&[(0.4, true), (0.2, true)], Some(0), 0.4, &[0.0, 0.25]);
    case(&[(0.6, true), (0.2, true)], Some(1), 0.45, &[0.0, 0.25]);
    case(&[(NEVER, true), (NEVER, true), (0.1, true)], Some(2), 0.6, &[0.0, 0.25, 0.5]);
    // A failure hurries the next, and only the latest attempt's does.
    case(&[(0.1, false), (0.2, true)], Some(1), 0.3, &[0.0, 0.1]);
    case(&[(0.3, false), (NEVER, true), (0.1, true)], Some(2), 0.6, &[0.0, 0.25, 0.5]);
    case(&[(0.1, false), (0.1, false), (0.1, false), (0.1, true)], Some(3), 0.4, &[0.0, 0.1, 0.2, 0.3]);
    // An early attempt can still win when the last has been made.
    case(&[(10.0, true), (0.1, false), (NEVER, true)], Some(0), 10.0, &[0.0, 0.25, 0.35]);
    // Some never end, the others fail: the last to fail is waited for.
    case(&[(5.0, false), (0.1, false)], None, 5.0, &[0.0, 0.25]);
}

#[test]
fn sock_01_two_successes_at_once_leave_one_open() {
    run_mock(async {
        let network = Network::default();
        // Both at 1.25 s.
        let (outcome, took) = network.connect(&[(1.25, true), (1.0, true)]).await;
        assert_eq!(took, 1.25);
        assert_eq!(network.open.get(), 1);
        drop(outcome?);
        assert_eq!(network.open.get(), 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_01_if_all_fail_the_errors_come_in_the_order_of_the_targets() {
    run_mock(async {
        let network = Network::default();
        let (outcome, _) = network.connect(&[(1.0, false), (0.1, false), (0.4, false)]).await;
        let group = outcome.unwrap_err().into_group()?;
        let texts: Vec<_> = group.errors().iter().map(Error::to_string).collect();
        assert_eq!(texts, ["refused 0", "refused 1", "refused 2"]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_01_cancellation_ends_all_attempts() {
    run_mock(async {
        let network = Network::default();
        let fates = [(NEVER, true), (NEVER, true), (NEVER, true)];
        let connect = async { network.connect(&fates).await.0 };
        assert!(move_on_after(1.0, connect).await?.is_none());
        assert_eq!(network.begun.borrow().len(), 3);
        assert_eq!((network.under_way.get(), network.open.get()), (0, 0));
        // Cancelled from the start: no attempt gets anywhere.
        let scope = CancelScope::new();
        scope.cancel();
        assert!(scope.run(async { network.connect(&fates).await.0.map(drop) }).await?.is_none());
        assert_eq!(network.open.get(), 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_01_an_infinite_delay_means_one_at_a_time() {
    run_mock(async {
        let attempt = async |time: f64| {
            sleep(time).await?;
            if time < 100.0 { Err(StreamError::Broken(None)) } else { Ok(current_time()) }
        };
        let start = current_time();
        let end = happy_eyeballs(vec![50.0, 60.0, 100.0], f64::INFINITY, attempt).await?;
        assert_eq!(end - start, 210.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_01_the_second_attempt_goes_another_way_than_the_first() {
    let order = |text: &str| {
        let parse = |a: &str| format!("{}:1", if a.contains(':') { format!("[{a}]") } else { a.into() });
        let mut addresses: Vec<SocketAddr> = text.split(' ').map(|a| parse(a).parse().unwrap()).collect();
        happy_eyeballs_order(&mut addresses);
        addresses.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(order("::1 ::2 1.0.0.1 ::3 1.0.0.2"), "::1 1.0.0.1 ::2 ::3 1.0.0.2");
    assert_eq!(order("1.0.0.1 1.0.0.2 1.0.0.3 ::1"), "1.0.0.1 ::1 1.0.0.2 1.0.0.3");
    assert_eq!(order("1.0.0.1 ::1 ::2"), "1.0.0.1 ::1 ::2");
    assert_eq!(order("::1 ::2 ::3"), "::1 ::2 ::3");
    assert_eq!(order("1.0.0.1"), "1.0.0.1");
    happy_eyeballs_order(&mut []);
}

#[test]
fn sock_01_a_host_is_reached_by_name_and_by_number() {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let port = listener.local_addr()?.port();
        for host in ["127.0.0.1", "localhost"] {
            let stream = assert_checkpoints(open_tcp_stream(host, port)).await?;
            assert_eq!(stream.peer_addr()?, listener.local_addr()?);
            let accepted = listener.accept().await?;
            assert_eq!(accepted.peer_addr()?, stream.local_addr()?);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_01_all_attempts_failing_says_the_target_and_the_causes() {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let port = listener.local_addr()?.port();
        drop(listener);
        let error = open_tcp_stream("127.0.0.1", port).await.unwrap_err();
        let failed = error.downcast_ref::<ConnectFailed>().unwrap();
        assert_eq!(failed.target(), format!("127.0.0.1:{port}"));
        assert_eq!(failed.attempts().errors().len(), 1);
        let Some(StreamError::Io(cause)) = failed.attempts().errors()[0].downcast_ref() else {
            panic!("got {:?}", failed.attempts())
        };
        assert_eq!(cause.kind(), ErrorKind::ConnectionRefused);
        let text = format!("{error:?}");
        assert!(text.contains(&format!("127.0.0.1:{port}: Connection refused")), "the causes show: {text}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_01_a_cancelled_look_up_is_not_waited_for() {
    terzetto::run(async {
        let scope = CancelScope::new();
        let outcome = scope
            .run(async {
                nursery(async |n| {
                    n.start_soon(async { open_tcp_stream("terzetto.invalid", 80).await.map(drop) });
                    checkpoint().await?;
                    checkpoint().await?;
                    scope.cancel();
                    Ok(())
                })
                .await
            })
            .await;
        // However slow the resolver is: either it was quicker than two ticks, or it was left.
        let found = outcome.as_ref().err().and_then(|error| error.find::<io::Error>());
        assert!(found.is_some() || scope.cancelled_caught(), "got {outcome:?}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_02_bad_ports_and_hosts_are_refused_clearly() {
    terzetto::run(async {
        for (host, port, text) in [("", 80, "empty"), ("localhost", 0, "port 0"), ("a\0b", 80, "zero byte")] {
            let error = open_tcp_stream(host, port).await.unwrap_err();
            assert_eq!(error.find::<io::Error>().map(io::Error::kind), Some(ErrorKind::InvalidInput));
            assert!(error.to_string().contains(text), "{error}");
        }
        let error = open_tcp_stream("no such host", 80).await.unwrap_err();
        assert!(error.to_string().contains("\"no such host\""), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_02_the_local_address_is_honoured() {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let port = listener.local_addr()?.port();
        // Linux answers on the whole of 127/8.
        if cfg!(target_os = "linux") {
            let from = [127, 0, 0, 9].into();
            let stream = TcpConnector::new().local_address(from).connect("127.0.0.1", port).await?;
            assert_eq!(stream.local_addr()?.ip(), from);
            assert_eq!(listener.accept().await?.peer_addr()?.ip(), from);
        }
        // The unspecified address chooses the family.
        let any = TcpConnector::new().local_address("0.0.0.0".parse()?);
        assert_eq!(any.connect("127.0.0.1", port).await?.peer_addr()?.port(), port);
        let other = TcpConnector::new().local_address("::".parse()?);
        let error = other.connect("127.0.0.1", port).await.unwrap_err();
        let failed = error.downcast_ref::<ConnectFailed>().unwrap();
        let text = failed.attempts().to_string();
        assert!(text.contains("local address ::") && text.contains("127.0.0.1"), "{text}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_01_the_delay_between_attempts_is_a_time_of_any_kind() {
    let by_duration = TcpConnector::new().happy_eyeballs_delay(Duration::from_secs(3));
    assert_eq!(by_duration, TcpConnector::new().happy_eyeballs_delay(3));
    let refused = std::panic::catch_unwind(|| drop(TcpConnector::new().happy_eyeballs_delay(-0.5)));
    assert!(refused.is_err());
}
