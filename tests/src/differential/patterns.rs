//! Patterns: gathering, mapping, racing, hedging, services.

use super::{
    interpret::{Open, Task},
    pattern_words::{NamedBlock, PatternAction},
    program::Block,
};
use serde_json::{Value, json};
use std::rc::Rc;
use terzetto::{
    Error,
    children::{gather, map},
    race::{Finish, first_to_end, first_to_succeed, hedge},
    service::with_services,
};

fn values(places: impl IntoIterator<Item = usize>) -> Value {
    json!(
        ["values"]
            .into_iter()
            .map(Value::from)
            .chain(places.into_iter().map(Value::from))
            .collect::<Vec<_>>()
    )
}

fn won(finish: Finish<usize>) -> Value {
    let others = finish.others.into_iter().map(|(index, _)| Value::from(index));
    json!([Value::from("won"), Value::from(finish.value)].into_iter().chain(others).collect::<Vec<_>>())
}

impl<'i: 's, 's> Task<'i, 's> {
    /// Runs one of a statement's tasks; returns its place.
    async fn nth(&self, place: usize, task: &'i NamedBlock) -> Result<usize, Error> {
        self.beside(&task.0).whole(&task.1).await?;
        Ok(place)
    }

    pub(super) async fn pattern_action(&self, action: &'i PatternAction) -> Result<Value, Error> {
        let all = |tasks: &'i [NamedBlock]| -> Vec<_> {
            tasks.iter().enumerate().map(|(place, task)| self.nth(place, task)).collect()
        };
        Ok(match action {
            PatternAction::Gather(tasks) => values(gather(all(tasks)).await?),
            PatternAction::Map { limit, as_completed, tasks } => {
                let calls = map(tasks.iter().enumerate(), async |(place, task)| self.nth(place, task).await);
                let calls = calls.at_most(*limit);
                let calls = if *as_completed { calls.as_completed() } else { calls };
                values(calls.collect().await?)
            }
            PatternAction::FirstToEnd(tasks) => won(first_to_end(all(tasks)).await?),
            PatternAction::FirstToSucceed(tasks) => won(first_to_succeed(all(tasks)).await?),
            PatternAction::Hedge(delay, tasks) => {
                won(hedge(tasks.len(), *delay, async |place| self.nth(place, &tasks[place]).await).await?)
            }
            PatternAction::Services { services, ordinary, block } => {
                self.services(*services, *ordinary, block).await?;
                json!("ok")
            }
        })
    }

    async fn services(&self, services: u64, ordinary: u64, block: &'i Block) -> Result<(), Error> {
        with_services(async |n, nursery_of_services| {
            let outer = Rc::new(Open::new(services, nursery_of_services, self)).same_task(self);
            let inner = Rc::new(Open::new(ordinary, n, &outer)).same_task(&outer);
            inner.block(block).await
        })
        .await
    }
}
