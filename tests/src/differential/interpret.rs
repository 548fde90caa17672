//! The interpreter: tasks run a program's statements on this runtime.

use super::{
    objects::Objects,
    program::{Action, Block, Statement},
    trace::{UserError, is_users, shape, with_reason},
    watch::statistics,
};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::HashMap, pin::Pin, rc::Rc};
use terzetto::{
    Error, Nursery, ReceiveError, SendFailure, TaskStatus, checkpoint, current_time,
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
    nursery, sleep, sleep_forever,
    sync::{AcquireError, ConditionError, LockGuard, NotHeld},
};

pub(super) type Step<'s, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 's>>;

/// An open nursery in which statements can start tasks.
trait Level<'i> {
    fn spawn(self: Rc<Self>, name: &'i str, block: &'i Block);
    fn spawn_for_result(self: Rc<Self>, name: &'i str, value: i64, block: &'i Block);
    fn start<'a>(self: Rc<Self>, name: &'i str, block: &'i Block) -> Step<'a, i64>
    where
        Self: 'a,
        'i: 'a;
    fn cancel(&self);
}

/// The nurseries around a statement, innermost first. `'i` is the program's lifetime, `'s` that of
/// the innermost nursery.
struct Around<'i, 's> {
    number: u64,
    level: Rc<dyn Level<'i> + 's>,
    above: Env<'i, 's>,
}

type Env<'i, 's> = Option<Rc<Around<'i, 's>>>;

pub(super) struct Open<'i, 'scope, 'env> {
    number: u64,
    nursery: &'scope Nursery<'scope, 'env>,
    objects: &'i Objects,
    above: Env<'i, 'scope>,
}

impl<'i: 'scope, 'scope, 'env> Open<'i, 'scope, 'env> {
    /// A nursery that `task` has opened.
    pub(super) fn new(
        number: u64,
        nursery: &'scope Nursery<'scope, 'env>,
        task: &Task<'i, 'scope>,
    ) -> Open<'i, 'scope, 'env> {
        Open { number, nursery, objects: task.objects, above: task.env.clone() }
    }

    /// The task that has opened the nursery, inside it.
    pub(super) fn same_task(self: Rc<Self>, task: &Task<'i, 'scope>) -> Task<'i, 'scope> {
        Task {
            held: task.held.clone(),
            taken: task.taken.clone(),
            ..self.child(&task.name, task.status.clone())
        }
    }

    /// A child of the nursery: it sees the nursery and what is around that.
    fn child(self: Rc<Self>, name: &str, status: Option<Rc<TaskStatus<i64>>>) -> Task<'i, 'scope> {
        let (number, above, objects) = (self.number, self.above.clone(), self.objects);
        let env = Some(Rc::new(Around { number, level: self, above }));
        Task { env, status, ..Task::new(objects, name) }
    }
}

impl<'i: 'scope, 'scope, 'env> Level<'i> for Open<'i, 'scope, 'env> {
    fn spawn(self: Rc<Self>, name: &'i str, block: &'i Block) {
        let nursery = self.nursery;
        nursery.start_soon_named(name.to_owned(), self.child(name, None).whole(block));
    }

    fn spawn_for_result(self: Rc<Self>, name: &'i str, value: i64, block: &'i Block) {
        let (nursery, objects) = (self.nursery, self.objects);
        let child = nursery.start_for_result_named(name.to_owned(), async move {
            self.child(name, None).whole(block).await?;
            Ok(value)
        });
        objects.children.borrow_mut().insert(name.to_owned(), Rc::new(child));
    }

    fn start<'a>(self: Rc<Self>, name: &'i str, block: &'i Block) -> Step<'a, i64>
    where
        Self: 'a,
        'i: 'a,
    {
        let nursery = self.nursery;
        Box::pin(nursery.start_named(name.to_owned(), async move |status: TaskStatus<i64>| {
            let status = Rc::new(status);
            self.objects.statuses.borrow_mut().insert(name.to_owned(), status.clone());
            self.child(name, Some(status)).whole(block).await
        }))
    }

    fn cancel(&self) {
        self.nursery.cancel_scope().cancel();
    }
}

/// Takes values from a producer.
pub(super) trait Taking {
    fn take<'a>(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<i64, ReceiveError>> + 'a>>
    where
        Self: 'a;
}

/// One task of the program, at some depth of its blocks.
#[derive(Clone)]
pub(super) struct Task<'i, 's> {
    pub(super) objects: &'i Objects,
    pub(super) name: Rc<str>,
    env: Env<'i, 's>,
    status: Option<Rc<TaskStatus<i64>>>,
    /// The locks of conditions that the task holds.
    held: Rc<RefCell<HashMap<usize, LockGuard>>>,
    /// Where `take` takes from.
    pub(super) taken: Option<Rc<dyn Taking + 's>>,
}

impl<'i: 's, 's> Task<'i, 's> {
    /// A task with no nursery around it.
    pub(super) fn new(objects: &'i Objects, name: &str) -> Task<'i, 's> {
        Task { objects, name: name.into(), env: None, status: None, held: Rc::default(), taken: None }
    }

    /// Another task in the same nurseries.
    pub(super) fn beside(&self, name: &str) -> Task<'i, 's> {
        Task { env: self.env.clone(), ..Task::new(self.objects, name) }
    }

    pub(super) fn note(&self, word: &str, outcome: Value) {
        if self.objects.hold.is_over() {
            return;
        }
        let time = (current_time() * 1024.0).round() / 1024.0;
        let mut trace = self.objects.trace.borrow_mut();
        let mut entry = vec![json!(time), json!(word), outcome];
        if self.objects.watch.statistics {
            entry.push(statistics(self.objects));
        }
        trace.entry(self.name.to_string()).or_default().push(Value::Array(entry));
    }

    pub(super) async fn whole(self, block: &'i Block) -> Result<(), Error> {
        self.objects.trace.borrow_mut().entry(self.name.to_string()).or_default();
        let outcome = self.block(block).await;
        match &outcome {
            Ok(()) => self.note("end", json!("ok")),
            Err(error) => self.note("end", shape(error)),
        }
        outcome
    }

    pub(super) fn block(&self, block: &'i Block) -> Step<'s, ()> {
        let task = self.clone();
        Box::pin(async move { task.statements(block).await })
    }

    pub(super) async fn statements(&self, all: impl IntoIterator<Item = &'i Statement>) -> Result<(), Error> {
        for statement in all {
            match self.statement(statement).await {
                Ok(outcome) => self.note(&statement.word, outcome),
                Err(error) => {
                    self.note(&statement.word, with_reason(&error, self.objects.watch.origin));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    pub(super) fn spawn_for_result(&self, number: u64, name: &'i str, value: i64, block: &'i Block) {
        self.level(number).spawn_for_result(name, value, block);
    }

    fn level(&self, number: u64) -> Rc<dyn Level<'i> + 's> {
        let mut next = &self.env;
        while let Some(around) = next {
            if around.number == number {
                return around.level.clone();
            }
            next = &around.above;
        }
        panic!("a program names nursery {number}, which is not around the statement");
    }

    pub(super) async fn statement(&self, statement: &'i Statement) -> Result<Value, Error> {
        let objects = self.objects;
        match &statement.action {
            Action::Sleep(seconds) => sleep(*seconds).await?,
            Action::SleepForever => sleep_forever().await?,
            Action::Checkpoint => checkpoint().await?,
            Action::CheckpointIfCancelled => checkpoint_if_cancelled().await?,
            Action::ShieldedCheckpoint => cancel_shielded_checkpoint().await,
            Action::Scope { number, absolute, seconds, shield, block } => {
                let scope = &objects.scopes[*number];
                if objects.is_relative(*number) {
                    scope.set_relative_deadline(*seconds);
                } else if *absolute || scope.deadline() != f64::INFINITY {
                    scope.set_deadline(current_time() + seconds);
                } else {
                    scope.set_relative_deadline(*seconds);
                }
                scope.set_shield(*shield);
                objects.entered.borrow_mut().insert(*number);
                let outcome = scope.run(self.block(block)).await;
                self.note("scope_end", json!([scope.cancelled_caught(), scope.cancel_called()]));
                outcome?;
            }
            Action::Cancel(number) => objects.scopes[*number].cancel_with_reason("asked"),
            Action::SetDeadline(number, _) if objects.is_relative(*number) => {
                return Ok(json!("misuse"));
            }
            Action::SetDeadline(number, seconds) => {
                objects.scopes[*number].set_deadline(current_time() + seconds);
            }
            Action::SetShield(number, shield) => objects.scopes[*number].set_shield(*shield),
            Action::Nursery(number, block) => self.nursery(*number, block).await?,
            Action::Spawn(number, name, block) => self.level(*number).spawn(name, block),
            Action::Start(number, name, block) => {
                return Ok(json!(["value", self.level(*number).start(name, block).await?]));
            }
            Action::Started(value) => {
                let told = self.status.as_ref().map(|status| status.started(*value));
                return Ok(json!(if let Some(Ok(())) = told { "ok" } else { "misuse" }));
            }
            Action::CancelNursery(number) => self.level(*number).cancel(),
            Action::EventSet(number) => objects.events[*number].set(),
            Action::EventWait(number) => objects.events[*number].wait().await?,
            Action::With(kind, number, block) => {
                let held = match objects.acquire(*kind, *number).await {
                    Ok(held) => held,
                    Err(AcquireError::AlreadyHeld | AcquireError::AlreadyBorrowed) => {
                        return Ok(json!("misuse"));
                    }
                    Err(error) => return Err(error.into()),
                };
                self.note("acquired", json!(format!("{kind:?}").to_lowercase()));
                let outcome = self.block(block).await;
                if !objects.give_back(held, *number) {
                    self.note("release", json!("misuse"));
                }
                outcome?;
            }
            Action::Release(kind, number) => {
                return Ok(json!(if objects.release(*kind, *number) { "ok" } else { "misuse" }));
            }
            Action::Condition(number, block) => {
                let guard = match objects.conditions[*number].acquire().await {
                    Ok(guard) => guard,
                    Err(AcquireError::AlreadyHeld) => return Ok(json!("misuse")),
                    Err(error) => return Err(error.into()),
                };
                self.note("acquired", json!("condition"));
                self.held.borrow_mut().insert(*number, guard);
                let outcome = self.block(block).await;
                let guard = self.held.borrow_mut().remove(number);
                drop(guard);
                outcome?;
            }
            Action::CondWait(number) => {
                // Taken out for the wait: no other statement of this task runs meanwhile.
                let guard = self.held.borrow_mut().remove(number);
                let mut guard = guard.ok_or(NotHeld::Lock)?;
                let outcome = objects.conditions[*number].wait(&mut guard).await;
                self.held.borrow_mut().insert(*number, guard);
                match outcome {
                    Err(ConditionError::NotHeld) => return Err(NotHeld::Lock.into()),
                    outcome => outcome?,
                }
            }
            Action::Notify(number, count) => objects.conditions[*number].notify(*count)?,
            Action::Send(number, value) => objects.channels[*number].0.send(*value).await?,
            Action::Receive(number) => {
                return Ok(json!(["value", objects.channels[*number].1.receive().await?]));
            }
            Action::SendNowait(number, value) => {
                if let Err(error) = objects.channels[*number].0.send_nowait(*value) {
                    match error.failure() {
                        SendFailure::WouldBlock => return Ok(json!("would_block")),
                        _ => return Err(error.into()),
                    }
                }
            }
            Action::ReceiveNowait(number) => match objects.channels[*number].1.receive_nowait() {
                Ok(value) => return Ok(json!(["value", value])),
                Err(ReceiveError::WouldBlock) => return Ok(json!("would_block")),
                Err(error) => return Err(error.into()),
            },
            Action::Raise(name) => return Err(UserError(name.clone()).into()),
            Action::Try(block, cleanup) => {
                let outcome = self.block(block).await;
                self.block(cleanup).await?;
                outcome?;
            }
            Action::Catch(block) => {
                if let Err(error) = self.block(block).await {
                    match error.into_group() {
                        Err(error) if is_users(&error) => {}
                        Err(error) => return Err(error),
                        Ok(group) => {
                            if let (_, Some(rest)) = group.split(is_users) {
                                return Err(rest.into());
                            }
                        }
                    }
                }
            }
            Action::Sync(action) => return self.sync_action(action).await,
            Action::Outside(action) => return self.outside_action(action).await,
            Action::Pattern(action) => return self.pattern_action(action).await,
            Action::Message(action) => return self.message_action(action).await,
            Action::Pacing(action) => return self.pacing_action(action).await,
        }
        Ok(json!("ok"))
    }

    async fn nursery(&self, number: u64, block: &'i Block) -> Result<(), Error> {
        nursery(async |n| Rc::new(Open::new(number, n, self)).same_task(self).block(block).await).await
    }
}
