//! The scenario server of Easy Racer (<https://github.com/jamesward/easyracer>), after its description: eleven races,
//! of which the server sees whether they are run as they should. It also counts what the public one only relies on:
//! that losers are cancelled, and that nothing is left when a race returns.

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use std::{
    cell::{Cell, RefCell},
    net::{Ipv4Addr, SocketAddr},
};
use terzetto::{
    Error, Nursery,
    compat::{HyperIo, drive_connection},
    current_time, fail_after,
    io::{TcpStream, open_tcp_listeners, serve_listeners},
    sleep, sleep_forever,
    sync::Event,
};

type Answer = Result<Response<Full<Bytes>>, Error>;

/// How long the first part of scenario 10 is open, in seconds.
const COMPUTING: f64 = 5.0;
/// How busy the client must be meanwhile, at least. The public server demands 0.8 of a core. Here server and client
/// share a machine, perhaps with many others. So it also demands that the client is half as busy afterwards.
const LEAST_LOAD: f64 = 0.03;

/// What the server has seen of one scenario.
#[derive(Debug, Default)]
struct Scenario {
    begun: Cell<usize>,
    open: Cell<usize>,
    most: Cell<usize>,
    /// Requests that ended without an answer of ours: their connections were closed.
    cancelled: Cell<usize>,
    /// What the requests wait for.
    go: Event,
}

/// A request under way.
struct UnderWay<'a> {
    scenario: &'a Scenario,
    number: usize,
    answered: Cell<bool>,
    /// Whether others wait for the end of this request.
    tells: bool,
}

impl Scenario {
    fn begin(&self, tells: bool) -> UnderWay<'_> {
        self.begun.set(self.begun.get() + 1);
        self.open.set(self.open.get() + 1);
        self.most.set(self.most.get().max(self.open.get()));
        UnderWay { scenario: self, number: self.begun.get(), answered: Cell::new(false), tells }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let scenario = self.scenario;
        scenario.open.set(scenario.open.get() - 1);
        if !self.answered.get() {
            scenario.cancelled.set(scenario.cancelled.get() + 1);
            if self.tells {
                scenario.go.set();
            }
        }
    }
}

/// The state of the server. Each of its scenarios can be run once.
#[derive(Debug, Default)]
pub struct Course {
    scenarios: [Scenario; 12],
    /// How many requests scenario 3 waits for.
    requests: usize,
    /// When the first request of scenario 7 came.
    first_came: Cell<f64>,
    /// Resources of scenario 8 that were opened and that were closed; the one that was closed first.
    opened: Cell<usize>,
    closed: Cell<usize>,
    closed_first: RefCell<Option<String>>,
    was_closed: Event,
    /// The end of the first part of scenario 10, and what was told meanwhile.
    computing_until: Cell<Option<f64>>,
    loads: RefCell<Vec<f64>>,
}

fn text(status: StatusCode, text: impl Into<String>) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(text.into())));
    *response.status_mut() = status;
    Ok(response)
}

fn right() -> Answer {
    text(StatusCode::OK, "right")
}

fn wrong() -> Answer {
    text(StatusCode::INTERNAL_SERVER_ERROR, "wrong")
}

async fn never() -> Answer {
    Err(sleep_forever().await.map_or_else(Error::from, |_| unreachable!("it is for ever")))
}

/// The connection is closed instead of an answer.
fn hang_up() -> Answer {
    Err(Error::msg("the scenario demands a connection that breaks"))
}

impl Course {
    /// A server whose third scenario is a race of so many requests.
    pub fn new(requests: usize) -> Course {
        Course { requests, ..Course::default() }
    }

    /// Serves at `address` in `nursery`; returns the address with its port.
    ///
    /// # Errors
    /// If the address cannot be listened to.
    pub async fn serve<'scope>(
        &'scope self,
        nursery: &'scope Nursery<'scope, '_>,
        address: Ipv4Addr,
    ) -> Result<SocketAddr, Error> {
        // With the longest queue that the system allows, since very many clients connect at once.
        let listeners = open_tcp_listeners(0, Some(&address.to_string()), None).await?;
        let bound = listeners[0].local_addr()?;
        nursery.start_soon_named("the scenario server", async move {
            let connection = async |stream: TcpStream| {
                let service = service_fn(async |request: Request<Incoming>| self.answer(&request).await);
                let served = http1::Builder::new().serve_connection(HyperIo::new(stream), service);
                match drive_connection(served).await {
                    Err(error) if error.is_cancelled() => Err(error),
                    // A connection that was closed by either side.
                    _ => Ok(()),
                }
            };
            serve_listeners(listeners, connection, terzetto::TaskStatus::ignored()).await
        });
        Ok(bound)
    }

    async fn answer(&self, request: &Request<Incoming>) -> Answer {
        let number = request.uri().path().trim_start_matches('/').parse().unwrap_or(0);
        let Some(scenario) = self.scenarios.get(number) else { return text(StatusCode::NOT_FOUND, "") };
        let query = request.uri().query().unwrap_or_default();
        match number {
            8 if !query.starts_with("use=") => return self.resource(query),
            10 if query.contains('=') => return self.load(query),
            _ => {}
        }
        let under_way = scenario.begin(number == 4);
        let answer = self.race(number, &under_way, query).await;
        under_way.answered.set(true);
        answer
    }

    async fn race(&self, scenario: usize, request: &UnderWay<'_>, query: &str) -> Answer {
        let (number, go) = (request.number, &request.scenario.go);
        let all = match scenario {
            3 => self.requests,
            // They wait until one is cancelled.
            4 => usize::MAX,
            6 | 11 => 3,
            9 => 10,
            _ => 2,
        };
        if number == all {
            go.set();
        }
        match (scenario, number) {
            (1, 1) | (4, _) => {
                go.wait().await?;
                right()
            }
            (2, 1) => {
                go.wait().await?;
                sleep(1.0).await?;
                right()
            }
            (2, _) => hang_up(),
            (3, _) => {
                go.wait().await?;
                if number == 1 { right() } else { never().await }
            }
            (5 | 6, 1) => {
                go.wait().await?;
                wrong()
            }
            (5 | 6, 2) => {
                go.wait().await?;
                sleep(1.0).await?;
                right()
            }
            (7, 1) => {
                self.first_came.set(current_time());
                go.wait().await?;
                if current_time() - self.first_came.get() > 2.0 { right() } else { wrong() }
            }
            (8, 1) => {
                go.wait().await?;
                wrong()
            }
            (8, _) => {
                self.was_closed.wait().await?;
                let closed_own = self.closed_first.borrow().as_deref() == query.strip_prefix("use=");
                if closed_own { wrong() } else { right() }
            }
            // Every second one has a letter, one later than the other.
            (9, _) => {
                go.wait().await?;
                match "r.i.g.h.t.".chars().nth(number - 1) {
                    Some('.') | None => wrong(),
                    Some(letter) => {
                        sleep(number as f64 / 4.0).await?;
                        text(StatusCode::OK, letter)
                    }
                }
            }
            (10, _) => {
                self.computing_until.set(Some(current_time() + COMPUTING));
                sleep(COMPUTING).await?;
                right()
            }
            (11, 3) => right(),
            (11, _) => {
                go.wait().await?;
                hang_up()
            }
            _ => never().await,
        }
    }

    fn resource(&self, query: &str) -> Answer {
        if query == "open" {
            self.opened.set(self.opened.get() + 1);
            return text(StatusCode::OK, self.opened.get().to_string());
        }
        let Some(id) = query.strip_prefix("close=") else { return text(StatusCode::NOT_ACCEPTABLE, "") };
        self.closed.set(self.closed.get() + 1);
        self.closed_first.borrow_mut().get_or_insert_with(|| id.to_owned());
        self.was_closed.set();
        text(StatusCode::OK, "")
    }

    fn load(&self, query: &str) -> Answer {
        let load = query.split_once('=').and_then(|(_, load)| load.parse::<f64>().ok());
        let Some(load) = load else { return text(StatusCode::BAD_REQUEST, "the load is no number") };
        match self.computing_until.get() {
            None => return text(StatusCode::FOUND, ""),
            Some(end) if current_time() < end => {
                self.loads.borrow_mut().push(load);
                return text(StatusCode::FOUND, "");
            }
            Some(_) => {}
        }
        let loads = self.loads.borrow();
        let mean = loads.iter().sum::<f64>() / loads.len() as f64;
        // One reading a second, if the machine keeps up.
        if (loads.len() as f64) < COMPUTING / 2.0 {
            text(StatusCode::BAD_REQUEST, format!("{} readings are too few", loads.len()))
        } else if mean < LEAST_LOAD {
            text(StatusCode::BAD_REQUEST, format!("a mean load of {mean} is no computation"))
        } else if load > mean / 2.0 {
            text(StatusCode::FOUND, "it still computes")
        } else {
            right()
        }
    }

    /// What a scenario's requests did, when all have ended: how many there were, how many at once, how many the client
    /// has cancelled.
    ///
    /// # Errors
    /// If a request has not ended some time after the race.
    pub async fn seen(&self, number: usize) -> Result<(usize, usize, usize), Error> {
        let scenario = &self.scenarios[number];
        let ended = fail_after(100.0, async {
            while scenario.open.get() > 0 {
                sleep(0.05).await?;
            }
            Ok(())
        });
        ended.await?;
        Ok((scenario.begun.get(), scenario.most.get(), scenario.cancelled.get()))
    }

    /// How many resources were opened and closed.
    pub fn resources(&self) -> (usize, usize) {
        (self.opened.get(), self.closed.get())
    }
}
