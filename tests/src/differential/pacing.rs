//! Retries, rate limits and supervision.

use super::{
    interpret::Task,
    pacing_words::{PacingAction, Supervised},
    trace::shape,
};
use serde_json::{Value, json};
use std::cell::Cell;
use terzetto::{
    Error, TooSlow,
    supervise::Supervisor,
    sync::AcquireError,
    time::{Backoff, GaveUp, Retry},
};

impl<'i: 's, 's> Task<'i, 's> {
    pub(super) async fn pacing_action(&self, action: &'i PacingAction) -> Result<Value, Error> {
        match action {
            PacingAction::Retry { first, factor, longest, timeout, attempts } => {
                let backoff = Backoff::constant(*first).factor(*factor).at_most(*longest);
                let retry = Retry::new(backoff).attempts(attempts.len() as u32);
                let retry = timeout.map_or(retry.clone(), |timeout| retry.timeout(timeout));
                let mut begun = 0;
                let outcome = retry.run(async || {
                    begun += 1;
                    self.block(&attempts[begun - 1]).await
                });
                let outcome = outcome.await;
                let Err(error) = outcome else { return Ok(json!(["done", begun])) };
                let Some(gave_up) = error.downcast_ref::<GaveUp>() else { return Err(error) };
                let failure = match gave_up.failure() {
                    failure if failure.downcast_ref::<TooSlow>().is_some() => json!("TooSlow"),
                    failure => shape(failure),
                };
                Ok(json!(["gave_up", gave_up.attempts(), gave_up.timed_out(), failure]))
            }
            PacingAction::TakeTokens(number, count) => {
                self.objects.rates[*number].acquire_many(*count).await?;
                Ok(json!("ok"))
            }
            PacingAction::TakeTokenNowait(number) => match self.objects.rates[*number].acquire_nowait() {
                Ok(()) => Ok(json!("ok")),
                Err(AcquireError::WouldBlock) => Ok(json!("would_block")),
                Err(error) => Err(error.into()),
            },
            PacingAction::Supervise { one_for_one, restarts, within, pause, tasks } => {
                let supervisor =
                    if *one_for_one { Supervisor::one_for_one() } else { Supervisor::all_for_one() };
                let supervisor =
                    supervisor.restarts(*restarts, *within).backoff(Backoff::exponential(*pause));
                let add = |supervisor: Supervisor<'s>, task| self.supervised(supervisor, task);
                tasks.iter().fold(supervisor, add).run().await?;
                Ok(json!("ok"))
            }
        }
    }

    /// Each beginning of the task does its next block, and the last does nothing.
    fn supervised(&self, supervisor: Supervisor<'s>, (name, blocks): &'i Supervised) -> Supervisor<'s> {
        let (task, begun) = (self.clone(), Cell::new(0));
        supervisor.task(name.clone(), async move || {
            let block = blocks.get(begun.replace(begun.get() + 1));
            task.beside(name).whole(block.unwrap_or(const { &Vec::new() })).await
        })
    }
}
