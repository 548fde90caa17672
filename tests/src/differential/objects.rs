//! What the tasks of a program share.

use super::program::{Kind, Program};
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeMap};
use terzetto::{
    CancelScope, Receiver, Sender, channel,
    sync::{AcquireError, CapacityLimiter, Condition, Event, Loan, Lock, LockGuard, Permit, Semaphore},
};

/// The objects of a program, and its trace.
pub(super) struct Objects {
    pub(super) scopes: Vec<CancelScope>,
    pub(super) events: Vec<Event>,
    pub(super) conditions: Vec<Condition>,
    pub(super) channels: Vec<(Sender<i64>, Receiver<i64>)>,
    locks: Vec<Lock>,
    semaphores: Vec<Semaphore>,
    limiters: Vec<CapacityLimiter>,
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
            trace: RefCell::default(),
        }
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
