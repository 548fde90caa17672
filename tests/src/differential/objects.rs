//! What the tasks of a program share.

use super::{
    hold::Hold,
    messages::{Broadcast, Oneshot},
    pacing_words::RateSpec,
    program::{Kind, Program, StreamKind, Watch},
};
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
};
use terzetto::{
    CancelScope, Receiver, Sender, TaskStatus, channel,
    children::Child,
    io::{ReceiveStream, SendStream, StreamError},
    signal::SignalReceiver,
    sync::{
        AcquireError, CapacityLimiter, Condition, Event, Loan, Lock, LockGuard, ParkingLot, Permit,
        Semaphore, Watch as Watched,
    },
    testing::{
        LockstepReceiveStream, LockstepSendStream, MemoryReceiveStream, MemorySendStream,
        lockstep_stream_one_way_pair, memory_stream_one_way_pair,
    },
    time::RateLimiter,
};

/// The objects of a program, and its trace.
pub(super) struct Objects {
    pub(super) scopes: Vec<CancelScope>,
    pub(super) events: Vec<Event>,
    pub(super) conditions: Vec<Condition>,
    pub(super) channels: Vec<(Sender<i64>, Receiver<i64>)>,
    pub(super) locks: Vec<Lock>,
    pub(super) semaphores: Vec<Semaphore>,
    pub(super) limiters: Vec<CapacityLimiter>,
    pub(super) lots: Vec<ParkingLot>,
    pub(super) streams: Vec<Stream>,
    pub(super) broadcasts: Vec<Broadcast>,
    pub(super) watched: Vec<Watched<i64>>,
    pub(super) oneshots: Vec<Oneshot>,
    pub(super) rates: Vec<RateLimiter>,
    pub(super) hold: Hold,
    pub(super) watch: Watch,
    /// The scopes that have been entered.
    pub(super) entered: RefCell<HashSet<usize>>,
    /// The scopes that were given a timeout before.
    pub(super) relative: RefCell<HashSet<usize>>,
    /// Of the tasks that `start` has started.
    pub(super) statuses: RefCell<HashMap<String, Rc<TaskStatus<i64>>>>,
    /// The tasks whose values can be awaited.
    pub(super) children: RefCell<HashMap<String, Rc<Child<i64>>>>,
    pub(super) signals: RefCell<Option<Rc<SignalReceiver>>>,
    pub(super) trace: RefCell<BTreeMap<String, Vec<Value>>>,
}

/// Something acquired; dropping it releases it.
pub(super) enum Held {
    Lock(LockGuard),
    Permit(Permit),
    Loan(Loan),
}

impl Objects {
    pub(super) fn new(program: &Program) -> Objects {
        Objects {
            scopes: (0..program.scopes).map(|_| CancelScope::new()).collect(),
            events: (0..program.events).map(|_| Event::new()).collect(),
            conditions: (0..program.conditions).map(|_| Condition::new()).collect(),
            channels: program.channels.iter().map(|&capacity| channel(capacity)).collect(),
            locks: (0..program.locks).map(|_| Lock::new()).collect(),
            semaphores: program.semaphores.iter().map(|&value| Semaphore::new(value)).collect(),
            limiters: program.limiters.iter().map(|&total| CapacityLimiter::new(total)).collect(),
            lots: (0..program.lots).map(|_| ParkingLot::new()).collect(),
            streams: program.streams.iter().map(|&kind| Stream::new(kind)).collect(),
            broadcasts: program.broadcasts.iter().map(Broadcast::new).collect(),
            watched: (0..program.watched).map(|_| Watched::new(0)).collect(),
            oneshots: (0..program.oneshots).map(|_| Oneshot::new()).collect(),
            rates: program.rates.iter().map(rate).collect(),
            hold: Hold::new(program.gates),
            watch: program.watch,
            entered: RefCell::default(),
            relative: RefCell::default(),
            statuses: RefCell::default(),
            children: RefCell::default(),
            signals: RefCell::default(),
            trace: RefCell::default(),
        }
    }

    /// Whether a scope's deadline counts from an entry that is still to come.
    pub(super) fn is_relative(&self, scope: usize) -> bool {
        self.relative.borrow().contains(&scope) && !self.entered.borrow().contains(&scope)
    }

    pub(super) async fn acquire(&self, kind: Kind, number: usize) -> Result<Held, AcquireError> {
        Ok(match kind {
            Kind::Lock => Held::Lock(self.locks[number].acquire().await?),
            Kind::Semaphore => Held::Permit(self.semaphores[number].acquire().await?),
            Kind::Limiter => Held::Loan(self.limiters[number].acquire().await?),
        })
    }

    /// Gives back what a `with` statement holds; says whether it was held.
    pub(super) fn give_back(&self, held: Held, number: usize) -> bool {
        match held {
            Held::Lock(guard) => {
                guard.forget();
                self.locks[number].release().is_ok()
            }
            Held::Permit(permit) => {
                drop(permit);
                true
            }
            Held::Loan(loan) => {
                loan.forget();
                self.limiters[number].release().is_ok()
            }
        }
    }

    pub(super) fn release(&self, kind: Kind, number: usize) -> bool {
        match kind {
            Kind::Lock => self.locks[number].release().is_ok(),
            Kind::Semaphore => self.semaphores[number].release().is_ok(),
            Kind::Limiter => self.limiters[number].release().is_ok(),
        }
    }
}

fn rate(spec: &RateSpec) -> RateLimiter {
    RateLimiter::new(spec.count, spec.period).burst(spec.burst)
}

/// A stream in memory: its two ends.
pub(super) enum Stream {
    Memory(MemorySendStream, MemoryReceiveStream),
    Lockstep(LockstepSendStream, LockstepReceiveStream),
}

impl Stream {
    fn new(kind: StreamKind) -> Stream {
        match kind {
            StreamKind::Memory => {
                let (send, receive) = memory_stream_one_way_pair();
                Stream::Memory(send, receive)
            }
            StreamKind::Lockstep => {
                let (send, receive) = lockstep_stream_one_way_pair();
                Stream::Lockstep(send, receive)
            }
        }
    }

    pub(super) async fn send(&self, size: usize) -> Result<(), StreamError> {
        let data = vec![0; size];
        match self {
            Stream::Memory(send, _) => send.send_all(&data).await,
            Stream::Lockstep(send, _) => send.send_all(&data).await,
        }
    }

    pub(super) async fn receive(&self, size: usize) -> Result<usize, StreamError> {
        let mut room = vec![0; size];
        match self {
            Stream::Memory(_, receive) => receive.receive_some(&mut room).await,
            Stream::Lockstep(_, receive) => receive.receive_some(&mut room).await,
        }
    }

    /// Closes the sending end (0) or the receiving one (1).
    pub(super) async fn close(&self, end: usize) -> Result<(), StreamError> {
        match (self, end) {
            (Stream::Memory(send, _), 0) => send.close().await,
            (Stream::Memory(_, receive), _) => receive.close().await,
            (Stream::Lockstep(send, _), 0) => send.close().await,
            (Stream::Lockstep(_, receive), _) => receive.close().await,
        }
    }
}
