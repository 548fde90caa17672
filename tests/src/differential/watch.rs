//! What is looked at from outside: the statistics of everything, and an instrument's hooks.

use super::objects::Objects;
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeMap};
use terzetto::{Task, lowlevel::Instrument, sync::Borrower};

/// The statistics of all objects, in the order in which the oracle has them.
pub(super) fn statistics(objects: &Objects) -> Value {
    let events = objects.events.iter().map(|event| json!([event.is_set(), event.tasks_waiting()]));
    let locks = objects.locks.iter().map(|lock| {
        let owner = lock.owner().map(|task| task.name().to_owned());
        json!([lock.is_locked(), owner, lock.tasks_waiting()])
    });
    let conditions = objects.conditions.iter();
    let conditions =
        conditions.map(|condition| json!([condition.tasks_waiting(), condition.lock().is_locked()]));
    let semaphores = objects.semaphores.iter();
    let semaphores = semaphores.map(|semaphore| json!([semaphore.value(), semaphore.tasks_waiting()]));
    let limiters = objects.limiters.iter().map(|limiter| {
        let mut borrowers: Vec<String> = limiter.borrowers().iter().map(borrower).collect();
        borrowers.sort();
        json!([
            limiter.total_tokens(),
            limiter.borrowed_tokens(),
            limiter.available_tokens(),
            limiter.tasks_waiting(),
            borrowers
        ])
    });
    let channels = objects.channels.iter().map(|(sender, _)| {
        let now = sender.statistics();
        json!([
            now.current_buffer_used,
            now.open_send_channels,
            now.open_receive_channels,
            now.tasks_waiting_send,
            now.tasks_waiting_receive
        ])
    });
    let lots = objects.lots.iter().map(|lot| json!(lot.len()));
    let all: [Vec<Value>; 7] = [
        events.collect(),
        locks.collect(),
        conditions.collect(),
        semaphores.collect(),
        limiters.collect(),
        channels.collect(),
        lots.collect(),
    ];
    json!(all)
}

fn borrower(borrower: &Borrower) -> String {
    match (borrower.key::<Task>(), borrower.key::<i64>()) {
        (Some(task), _) => task.name().to_owned(),
        (_, Some(number)) => number.to_string(),
        _ => "unknown".to_owned(),
    }
}

/// Notes, for each task of the program, what the instrument is told of it: `n`ew, `s`cheduled, `b`efore and
/// `a`fter a step, e`x`ited.
#[derive(Default)]
pub(super) struct Hooks(pub(super) RefCell<BTreeMap<String, String>>);

impl Hooks {
    fn note(&self, task: &Task, letter: char) {
        let name = task.name();
        let number = name.strip_prefix('t').unwrap_or_default();
        if name == "main" || (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())) {
            self.0.borrow_mut().entry(name.to_owned()).or_default().push(letter);
        }
    }
}

impl Instrument for Hooks {
    fn task_spawned(&self, task: &Task) {
        self.note(task, 'n');
    }

    fn task_scheduled(&self, task: &Task) {
        self.note(task, 's');
    }

    fn before_task_step(&self, task: &Task) {
        self.note(task, 'b');
    }

    fn after_task_step(&self, task: &Task) {
        self.note(task, 'a');
    }

    fn task_exited(&self, task: &Task) {
        self.note(task, 'x');
    }
}
