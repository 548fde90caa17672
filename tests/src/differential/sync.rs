//! What tasks share, beyond the core: parking lots, limiters on behalf of others, channels that close, streams in
//! memory, context variables, the status of a task that is being started.

use super::{interpret::Task, sync_words::SyncAction};
use serde_json::{Value, json};
use std::rc::Rc;
use terzetto::{
    ContextVar, Error, ReceiveError, SendFailure, current_effective_deadline, current_task,
    io::StreamError,
    sync::{AcquireError, Borrower, Loan, ParkError},
};

static VARIABLES: [ContextVar<i64>; 4] = [const { ContextVar::new("of a program") }; 4];

pub(super) fn set_variable(number: usize, value: i64) {
    VARIABLES[number].set(value);
}

pub(super) fn variable(number: usize) -> Value {
    json!(["value", VARIABLES[number].get()])
}

/// The outcome of something that a stream has done.
fn streamed(outcome: Result<Value, StreamError>) -> Result<Value, Error> {
    Ok(match outcome {
        Ok(value) => value,
        Err(StreamError::Closed) => json!("closed"),
        Err(StreamError::Broken(_)) => json!("broken"),
        Err(StreamError::Busy(_)) => json!("busy"),
        Err(error) => return Err(error.into()),
    })
}

impl<'i: 's, 's> Task<'i, 's> {
    pub(super) async fn sync_action(&self, action: &'i SyncAction) -> Result<Value, Error> {
        let objects = self.objects;
        match action {
            SyncAction::CloseSend(number) => objects.channels[*number].0.close(),
            SyncAction::CloseReceive(number) => objects.channels[*number].1.close(),
            SyncAction::Put(number, value) => {
                if let Err(error) = objects.channels[*number].0.send(*value).await {
                    match error.failure() {
                        SendFailure::Closed => return Ok(json!("closed")),
                        SendFailure::Broken => return Ok(json!("broken")),
                        _ => return Err(error.into()),
                    }
                }
            }
            SyncAction::Get(number) => match objects.channels[*number].1.receive().await {
                Ok(value) => return Ok(json!(["value", value])),
                Err(ReceiveError::Closed) => return Ok(json!("closed")),
                Err(ReceiveError::EndOfChannel) => return Ok(json!("end")),
                Err(error) => return Err(error.into()),
            },
            SyncAction::Park(number) => match objects.lots[*number].park().await {
                Err(ParkError::Broken(_)) => return Ok(json!("broken")),
                outcome => outcome?,
            },
            SyncAction::Unpark(number, count) => {
                let lot = &objects.lots[*number];
                let woken = count.map_or_else(|| lot.unpark_all(), |count| lot.unpark(count));
                let names: Vec<&str> = woken.iter().map(terzetto::Task::name).collect();
                return Ok(json!(["value", names]));
            }
            SyncAction::Repark(number, other, count) => {
                let (lot, other) = (&objects.lots[*number], &objects.lots[*other]);
                count.map_or_else(|| lot.repark_all(other), |count| lot.repark(other, count));
            }
            SyncAction::BreakLot(number) => objects.lots[*number].break_lot(&current_task()),
            SyncAction::WithFor(number, who, block) => {
                let limiter = &objects.limiters[*number];
                match limiter.acquire_on_behalf_of(Borrower::new(*who)).await {
                    Ok(loan) => loan.forget(),
                    Err(AcquireError::AlreadyBorrowed) => return Ok(json!("misuse")),
                    Err(error) => return Err(error.into()),
                }
                self.note("acquired", json!(format!("for {who}")));
                let outcome = self.block(block).await;
                if limiter.release_on_behalf_of(&Borrower::new(*who)).is_err() {
                    self.note("release_for", json!("misuse"));
                }
                outcome?;
            }
            SyncAction::BorrowNowait(number, who) => {
                match objects.limiters[*number].acquire_on_behalf_of_nowait(Borrower::new(*who)) {
                    Err(AcquireError::AlreadyBorrowed) => return Ok(json!("misuse")),
                    Err(AcquireError::WouldBlock) => return Ok(json!("would_block")),
                    outcome => outcome.map(Loan::forget)?,
                }
            }
            SyncAction::ReleaseFor(number, who) => {
                let released = objects.limiters[*number].release_on_behalf_of(&Borrower::new(*who));
                return Ok(json!(if released.is_ok() { "ok" } else { "misuse" }));
            }
            SyncAction::SetTokens(number, total) => objects.limiters[*number].set_total_tokens(*total),
            SyncAction::StreamSend(number, size) => {
                return streamed(objects.streams[*number].send(*size).await.map(|()| json!("ok")));
            }
            SyncAction::StreamReceive(number, size) => {
                let received = objects.streams[*number].receive(*size).await;
                return streamed(received.map(|size| json!(["value", size])));
            }
            SyncAction::StreamClose(number, end) => objects.streams[*number].close(*end).await?,
            SyncAction::ContextSet(number, value) => set_variable(*number, *value),
            SyncAction::ContextGet(number) => return Ok(variable(*number)),
            SyncAction::StartedFor(name, value) => {
                let status = objects.statuses.borrow().get(name).map(Rc::clone);
                let Some(status) = status else { return Ok(json!("unknown")) };
                return Ok(json!(if status.started(*value).is_ok() { "ok" } else { "misuse" }));
            }
            SyncAction::CancelWith(number, reason) => {
                let scope = &objects.scopes[*number];
                match reason {
                    Some(reason) => scope.cancel_with_reason(reason),
                    None => scope.cancel(),
                }
            }
            SyncAction::SetTimeout(number, seconds) => {
                let scope = &objects.scopes[*number];
                let entered = objects.entered.borrow().contains(number);
                if !entered && !objects.is_relative(*number) && scope.deadline() != f64::INFINITY {
                    return Ok(json!("misuse"));
                }
                objects.relative.borrow_mut().insert(*number);
                scope.set_relative_deadline(*seconds);
            }
            SyncAction::EffectiveDeadline => {
                let deadline = current_effective_deadline();
                let finite = Some(deadline).filter(|deadline| deadline.is_finite());
                return Ok(json!(["value", finite, deadline == f64::NEG_INFINITY]));
            }
        }
        Ok(json!("ok"))
    }
}
