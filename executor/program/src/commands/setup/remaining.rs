//! What is left to do of a series: what is not done, or was made otherwise; and `--dry-run`.

use std::{collections::HashSet, path::PathBuf};

use terzetto_executor::{
    BoxError, Shard,
    processes::Reporter,
    results::{
        ItemState, MadeWith, ResultsCheck, SavingPlan, Strangers, Wanted, file_name, strangers, summarize,
    },
};

use crate::commands::{
    args::{IfChanged, ResultArgs},
    say,
};

/// What is to be computed of a series.
pub struct Todo<T> {
    /// The items that are left.
    pub items: Vec<T>,
    /// How many there are in this part of the series.
    pub count: usize,
    /// Which part it is, if not the whole.
    pub shard: Option<Shard>,
}

/// What results are compared with.
pub struct Look<'a> {
    pub results: &'a ResultArgs,
    pub plan: &'a SavingPlan,
    pub made_with: &'a MadeWith,
    /// All images of the series.
    pub images: &'a [PathBuf],
    /// What items are called: `couples`.
    pub noun: &'static str,
    /// Is there one result of the whole series? It is computed again if it was made otherwise, since nothing is mixed.
    pub single: bool,
}

/// Of several things of a kind, so many are told on the terminal.
const TOLD: usize = 5;

impl<T> Todo<T> {
    /// The items of a part that are not done. `None` in a dry run, which has listed them.
    ///
    /// # Errors
    /// There are results that were made otherwise, and they are neither to be computed again nor kept.
    pub fn new(
        items: Vec<T>,
        look: &Look<'_>,
        wanted: impl Fn(&T) -> Wanted,
    ) -> Result<Option<Todo<T>>, BoxError> {
        let Look { results, noun, .. } = *look;
        let mut all = items;
        let strangers = look.strangers(|| all.iter().map(|item| wanted(item).item).collect());
        let shard = results.shard()?;
        if let Some(shard) = shard {
            // Before anything is left out as done: a part is the same part whenever it is computed.
            let range = shard.of(all.len());
            all = all.drain(range).collect();
        }
        let count = all.len();
        let check = ResultsCheck::new(&look.plan.folder, look.made_with, results.done_since());
        let (mut left, mut reasons) = (Vec::new(), Vec::new());
        let (mut otherwise, mut damaged) = (Vec::new(), Vec::new());
        for item in all {
            let wanted = wanted(&item);
            let why = match look.state(&wanted, &check) {
                ItemState::Done => continue,
                ItemState::Missing(why) => why,
                ItemState::NotWhole(why) => {
                    damaged.push(format!("{}: {why}: it is computed again", wanted.item));
                    why
                }
                ItemState::MadeOtherwise(differences) => {
                    let why = differences.join("; ");
                    otherwise.push((wanted.item.clone(), differences));
                    if results.if_changed == IfChanged::Keep {
                        continue;
                    }
                    why
                }
            };
            reasons.push(format!("{}: {why}", wanted.item));
            left.push(item);
        }
        if results.dry_run {
            reasons.iter().for_each(|line| say(line));
            say(&format!("would compute {} of {count} {noun}; nothing was done", left.len()));
        }
        tell_some(&damaged, "more");
        look.judge(&strangers, otherwise)?;
        Ok((!results.dry_run).then_some(Todo { items: left, count, shard }))
    }

    /// `5 couples (consecutive), part 1/3, 2 of them done before`
    pub fn announcement(&self, what: &str) -> String {
        let mut text = format!("{} {what}", self.count);
        if let Some(shard) = self.shard {
            text.push_str(&format!(", part {shard}"));
        }
        if self.items.len() < self.count {
            text.push_str(&format!(", {} of them done before", self.count - self.items.len()));
        }
        text
    }
}

impl Look<'_> {
    fn state(&self, wanted: &Wanted, check: &ResultsCheck<'_>) -> ItemState {
        if self.plan.complete {
            return check.state(wanted);
        }
        let is_there = wanted.files.iter().any(|name| self.plan.folder.join(name).exists());
        ItemState::Missing(if is_there { "everything is computed again" } else { "no result" }.to_owned())
    }

    /// Results in the folder that are not of this series. A supervisor has looked for all its processes.
    fn strangers(&self, items: impl FnOnce() -> HashSet<String>) -> Strangers {
        if Reporter::if_supervised().is_some() {
            return Strangers::default();
        }
        let images: HashSet<String> = self.images.iter().map(|path| file_name(path)).collect();
        strangers(&self.plan.folder, &items(), self.made_with, &images)
    }

    /// Refuses to mix results, or says that they are mixed.
    fn judge(&self, strangers: &Strangers, own: Vec<(String, Vec<String>)>) -> Result<(), BoxError> {
        let folder = self.plan.folder.display();
        if let Some(name) = strangers.unknown.first() {
            let count = strangers.unknown.len();
            log::warn!(
                "`{folder}` has {count} files of unknown origin, such as `{name}`: they are not touched"
            );
        }
        let choice = self.results.if_changed;
        let all = [&strangers.otherwise[..], &own].concat();
        if all.is_empty() {
            return Ok(());
        }
        if self.single && choice != IfChanged::Keep {
            let lines: Vec<String> =
                summarize(&own).into_iter().map(|line| format!("computed again: {line}")).collect();
            tell_some(&lines, "more differences");
            return Ok(());
        }
        if self.plan.complete && choice == IfChanged::Refuse {
            let mut lines = summarize(&all);
            let more = lines.len().saturating_sub(TOLD);
            lines.truncate(TOLD);
            if more > 0 {
                lines.push(format!("{more} more differences"));
            }
            return Err(format!(
                "the folder `{folder}` has results that were made otherwise, and nothing was computed:\n  {}\nsay \
                 --if-changed recompute to compute them again, --if-changed keep to keep them as they are, or --saving \
                 new-dir; --dry-run lists them",
                lines.join("\n  ")
            )
            .into());
        }
        if choice == IfChanged::Keep {
            let lines: Vec<String> =
                summarize(&own).into_iter().map(|line| format!("kept as it is: {line}")).collect();
            tell_some(&lines, "more differences in what is kept");
        }
        let stays = |line| format!("`{folder}` has results that are not of this run, and they stay: {line}");
        let lines: Vec<String> = summarize(&strangers.otherwise).into_iter().map(stays).collect();
        tell_some(&lines, "more differences in what stays");
        Ok(())
    }
}

/// Warnings; of a process that is supervised, which has them from its supervisor, notes in its log.
fn tell_some(lines: &[String], more: &str) {
    if Reporter::if_supervised().is_some() {
        lines.iter().for_each(|line| log::info!("{line}"));
        return;
    }
    lines.iter().take(TOLD).for_each(|line| log::warn!("{line}"));
    lines.iter().skip(TOLD).for_each(|line| log::info!("{line}"));
    if lines.len() > TOLD {
        log::warn!("{} {more}: see the log", lines.len() - TOLD);
    }
}
