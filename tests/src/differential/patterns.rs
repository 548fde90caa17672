//! Patterns: values of children, gathering, mapping, racing, hedging, services, graceful shutdown.

use super::{
    interpret::{Open, Task},
    pattern_words::{NamedBlock, PatternAction},
    program::Block,
};
use serde_json::{Value, json};
use std::rc::Rc;
use terzetto::{
    CancelScope, Error,
    children::{ResultError, gather, map},
    graceful::{finish, until_shut_down},
    nursery,
    race::{Finish, first_to_end, first_to_succeed, hedge},
    service::with_services,
    sleep,
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
            PatternAction::SpawnForResult { nursery, name, value, block } => {
                self.spawn_for_result(*nursery, name, *value, block);
                json!("ok")
            }
            PatternAction::ChildResult(name) => {
                let child = self.objects.children.borrow().get(name).cloned();
                let Some(child) = child else { return Ok(json!("misuse")) };
                match child.result().await {
                    Ok(value) => json!(["value", value]),
                    Err(ResultError::NoValue) => json!("no_value"),
                    Err(ResultError::Taken) => json!("taken"),
                    Err(error) => return Err(error.into()),
                }
            }
            PatternAction::Graceful { seconds, grace, stopped, finishing } => {
                self.graceful(*seconds, *grace, stopped, finishing).await?
            }
            PatternAction::UntilShutDown(block) => {
                let ended = until_shut_down(self.block(block)).await?;
                json!(if ended.is_some() { "ok" } else { "shut_down" })
            }
        })
    }

    async fn graceful(
        &self,
        seconds: f64,
        grace: f64,
        stopped: &'i [NamedBlock],
        finishing: &'i [NamedBlock],
    ) -> Result<Value, Error> {
        let scope = &CancelScope::new();
        let ended = scope.run(nursery(async move |n| {
            for (name, block) in stopped {
                n.start_soon_named(name.clone(), self.beside(name).whole(block));
            }
            for (name, block) in finishing {
                n.start_soon_named(name.clone(), finish(self.beside(name).whole(block)));
            }
            finish(async {
                sleep(seconds).await?;
                scope.shut_down(grace);
                Ok(())
            })
            .await
        }));
        Ok(json!(if ended.await?.is_some() { "ok" } else { "cut_short" }))
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
