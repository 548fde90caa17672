//! The items of a series that are left to compute: those that are not done, or were made otherwise. And `--dry-run`.

use std::{collections::HashSet, path::PathBuf};

use terzetto_executor::{
    BoxError, Shard, agree_on_parts,
    processes::Reporter,
    results::{
        ExpectedItem, ForeignResults, ItemState, MadeWith, ResultsCheck, SavingPlan, SeriesNames, file_name,
        find_foreign, summarize,
    },
};

use crate::commands::{
    args::{IfChanged, ResultArgs},
    print_line,
};

/// The items of a series that are left to compute.
pub struct Remaining<T> {
    /// The items that are left.
    pub items: Vec<T>,
    /// How many items this part of the series has.
    pub count: usize,
    /// The part of the series, if it is not the whole.
    pub shard: Option<Shard>,
}

/// A series, and what its results are compared with.
pub struct Comparison<'a> {
    pub results: &'a ResultArgs,
    pub plan: &'a SavingPlan,
    pub made_with: &'a MadeWith,
    /// All images of the series.
    pub images: &'a [PathBuf],
    /// What items are called: `couples`.
    pub noun: &'static str,
    /// Is there one result of the whole series? If it was made otherwise, it is computed again without a question:
    /// one result cannot be a mixture.
    pub single: bool,
}

/// Of many similar lines, so many are printed on the terminal.
const MAX_LINES: usize = 5;

/// An item that was made otherwise, and the differences.
type Difference = (String, Vec<String>);

impl<T> Remaining<T> {
    /// The items of this part that are not done. `None` in a dry run, which lists them.
    ///
    /// # Errors
    /// Some results were made otherwise, and the options do not say whether to compute them again or keep them.
    pub fn new(
        items: Vec<T>,
        comparison: &Comparison<'_>,
        expected: impl Fn(&T) -> ExpectedItem,
    ) -> Result<Option<Remaining<T>>, BoxError> {
        let Comparison { results, noun, .. } = *comparison;
        let mut all = items;
        let foreign = comparison.find_foreign(|| all.iter().map(|item| expected(item).item).collect());
        let shard = results.shard()?;
        if let Some(warning) = results.unsplit_warning() {
            log::warn!("{warning}");
        }
        if let Some(shard) = shard {
            if Reporter::if_supervised().is_none() {
                let names: Vec<String> = all.iter().map(|item| expected(item).item).collect();
                let names = names.iter().map(String::as_str);
                agree_on_parts(&comparison.plan.folder, shard, names, results.dry_run)?;
            }
            // The part is cut before done items are left out. So it has the same items whenever it is computed.
            let range = shard.of(all.len());
            all = all.drain(range).collect();
        }
        let count = all.len();
        let check = ResultsCheck::new(&comparison.plan.folder, comparison.made_with, results.done_since())
            .input_noun("image");
        let (mut left, mut reasons) = (Vec::new(), Vec::new());
        let (mut otherwise, mut damaged) = (Vec::new(), Vec::new());
        for item in all {
            let expected = expected(&item);
            let reason = match comparison.state(&expected, &check) {
                ItemState::Done => continue,
                ItemState::Missing(reason) => reason,
                ItemState::NotWhole(reason) => {
                    damaged.push(format!("{}: {reason}: it is computed again", expected.item));
                    reason
                }
                ItemState::MadeOtherwise(differences) => {
                    let reason = differences.join("; ");
                    otherwise.push((expected.item.clone(), differences));
                    if results.if_changed == IfChanged::Keep {
                        continue;
                    }
                    reason
                }
            };
            reasons.push(format!("{}: {reason}", expected.item));
            left.push(item);
        }
        if results.dry_run {
            reasons.iter().for_each(|line| print_line(line));
            print_line(&format!("would compute {} of {count} {noun}; nothing was done", left.len()));
        }
        warn(&damaged, "more");
        comparison.report_differences(&foreign, otherwise)?;
        Ok((!results.dry_run).then_some(Remaining { items: left, count, shard }))
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

impl Comparison<'_> {
    /// What exists of an item. Unless the run completes results, everything is computed again.
    fn state(&self, expected: &ExpectedItem, check: &ResultsCheck<'_>) -> ItemState {
        if self.plan.complete {
            return check.state(expected);
        }
        let exists = expected.files.iter().any(|name| self.plan.folder.join(name).exists());
        ItemState::Missing(if exists { "everything is computed again" } else { "no result" }.to_owned())
    }

    /// Results in the folder that are not of this series. A supervisor has looked for them before its processes.
    fn find_foreign(&self, items: impl FnOnce() -> HashSet<String>) -> ForeignResults {
        if Reporter::if_supervised().is_some() {
            return ForeignResults::default();
        }
        let series = SeriesNames {
            items: items(),
            inputs: self.images.iter().map(|path| file_name(path)).collect(),
            input_noun: "image",
            endings: &[".csv", ".nc"],
        };
        find_foreign(&self.plan.folder, &series, self.made_with)
    }

    /// Reports results that were made otherwise. Refuses to mix them with new ones, unless the options allow it.
    fn report_differences(&self, foreign: &ForeignResults, own: Vec<Difference>) -> Result<(), BoxError> {
        let folder = self.plan.folder.display();
        if let Some(name) = foreign.unknown.first() {
            let count = foreign.unknown.len();
            log::warn!(
                "`{folder}` has {count} files of unknown origin, such as `{name}`: they are not touched"
            );
        }
        let choice = self.results.if_changed;
        let all = [&foreign.otherwise[..], &own].concat();
        if all.is_empty() {
            return Ok(());
        }
        if self.single && choice != IfChanged::Keep {
            let lines: Vec<String> =
                summarize(&own).into_iter().map(|line| format!("computed again: {line}")).collect();
            warn(&lines, "more differences");
            return Ok(());
        }
        if self.plan.complete && choice == IfChanged::Refuse {
            return Err(self.refusal(&all).into());
        }
        if choice == IfChanged::Keep {
            let lines: Vec<String> =
                summarize(&own).into_iter().map(|line| format!("kept as it is: {line}")).collect();
            warn(&lines, "more differences in what is kept");
        }
        let stays = |line| format!("`{folder}` has results that are not of this run, and they stay: {line}");
        let lines: Vec<String> = summarize(&foreign.otherwise).into_iter().map(stays).collect();
        warn(&lines, "more differences in what stays");
        Ok(())
    }

    fn refusal(&self, differences: &[Difference]) -> String {
        let mut lines = summarize(differences);
        let more = lines.len().saturating_sub(MAX_LINES);
        lines.truncate(MAX_LINES);
        if more > 0 {
            lines.push(format!("{more} more differences"));
        }
        format!(
            "the folder `{}` has results that were made otherwise, and nothing was computed:\n  {}\nsay \
             --if-changed recompute to compute them again, --if-changed keep to keep them as they are, or --saving \
             new-dir; --dry-run lists them",
            self.plan.folder.display(),
            lines.join("\n  ")
        )
    }
}

/// Prints warnings. In a supervised process they only go into the log: the supervisor has printed them.
fn warn(lines: &[String], more: &str) {
    if Reporter::if_supervised().is_some() {
        lines.iter().for_each(|line| log::info!("{line}"));
        return;
    }
    lines.iter().take(MAX_LINES).for_each(|line| log::warn!("{line}"));
    lines.iter().skip(MAX_LINES).for_each(|line| log::info!("{line}"));
    if lines.len() > MAX_LINES {
        log::warn!("{} {more}: see the log", lines.len() - MAX_LINES);
    }
}
