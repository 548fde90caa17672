//! The command line of a process that computes a part of a series.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;
use terzetto_executor::Shard;

use super::{
    BosArgs, ExecutorChoice, InputArgs, MeasureArgs, OutputArgs, PivArgs, PreprocessArgs, ResultArgs,
    RunArgs, SavingChoice,
};

/// A part of a series for one process.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The folder for results.
    pub out: &'a Path,
    /// Which part.
    pub shard: Shard,
    /// What to do with results that exist.
    pub saving: SavingChoice,
    /// Results from before this moment do not count as done.
    pub done_since: Option<SystemTime>,
}

/// Commands whose work several processes can share.
pub trait InParts {
    /// The command line of a part.
    fn part(&self, part: Part<'_>) -> Vec<OsString>;
}

impl InParts for PivArgs {
    fn part(&self, part: Part<'_>) -> Vec<OsString> {
        let mut line = Line::new("piv", part);
        line.option("couples", self.couples.map(|rule| rule.to_string()));
        line.option("couples-file", self.couples_file.as_ref());
        line.option("scale", self.scale.scale.map(|length| format!("{length:e}")));
        line.option("dt", self.scale.dt.map(|time| format!("{time:e}")));
        line.measure(&self.measure);
        line.output(&self.output);
        let mut line = line.end(&self.input, &self.results, &self.run, None);
        line.extend(self.second.as_ref().map(Into::into));
        line
    }
}

impl InParts for BosArgs {
    fn part(&self, part: Part<'_>) -> Vec<OsString> {
        let mut line = Line::new("bos", part);
        line.measure(&self.measure);
        line.output(&self.output);
        line.end(&self.input, &self.results, &self.run, Some(&self.reference))
    }
}

impl InParts for PreprocessArgs {
    fn part(&self, part: Part<'_>) -> Vec<OsString> {
        Line::new("preprocess", part).end(&self.input, &self.results, &self.run, None)
    }
}

/// A command line that is being built.
struct Line(Vec<OsString>);

impl Line {
    fn new(command: &str, part: Part<'_>) -> Line {
        let mut line = Line(vec![command.into()]);
        line.option("out", Some(part.out));
        line.option("saving", Some(name_of(part.saving)));
        line.option("shard", Some(part.shard.to_string()));
        let since = part.done_since.and_then(|since| since.duration_since(UNIX_EPOCH).ok());
        line.option("done-since", since.map(|since| since.as_nanos().to_string()));
        line
    }

    fn option(&mut self, name: &str, value: Option<impl AsRef<OsStr>>) {
        if let Some(value) = value {
            // With an equals sign, the value may begin with a dash.
            let mut option = OsString::from(format!("--{name}="));
            option.push(value);
            self.0.push(option);
        }
    }

    fn flag(&mut self, name: &str, is_set: bool) {
        self.0.extend(is_set.then(|| format!("--{name}").into()));
    }

    fn measure(&mut self, args: &MeasureArgs) {
        self.option("window", args.window.map(|window| window.to_string()));
        self.option("overlap", args.overlap.map(|overlap| overlap.to_string()));
        self.option("passes", args.passes.map(|passes| passes.to_string()));
        self.option("mask", args.mask.as_ref());
        if args.uncertainty {
            self.0.push("--uncertainty".into());
        }
    }

    fn output(&mut self, args: &OutputArgs) {
        self.option("format", args.format.as_deref().map(names_of));
        self.option("plots", args.plots.as_deref().map(names_of));
        self.flag("no-plots", args.no_plots);
    }

    /// Adds the options that all commands share. Positional arguments come last.
    fn end(
        mut self,
        input: &InputArgs,
        results: &ResultArgs,
        run: &RunArgs,
        before: Option<&Path>,
    ) -> Vec<OsString> {
        self.option("params", input.params.as_ref());
        self.option("range", input.range.map(|range| range.to_string()));
        self.option("if-changed", Some(name_of(results.if_changed)));
        self.option("lease", Some(results.lease.as_secs_f64().to_string()));
        self.option("log-level", Some(name_of(results.log_level)));
        self.option("log-filter", results.log_filter.as_ref());
        self.flag("gantt", results.gantt);
        self.option("executor", Some(name_of(ExecutorChoice::Async)));
        self.option("workers", run.workers.map(|workers| workers.to_string()));
        self.option("queue-max", run.queue_max.map(|items| items.to_string()));
        self.flag("stop-if-error", run.stop_if_error);
        self.option("max-errors", run.max_errors.map(|errors| errors.to_string()));
        self.flag("quiet", true);
        self.0.push("--".into());
        self.0.extend(before.map(Into::into));
        self.0.extend(input.folder.as_ref().map(Into::into));
        self.0
    }
}

fn name_of(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn names_of<T: ValueEnum + Copy>(choices: &[T]) -> String {
    choices.iter().map(|choice| name_of(*choice)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::commands::args::{Cli, Command};

    fn parse(line: Vec<OsString>) -> Command {
        Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{error}")).command.expect("a command")
    }

    /// Parses a line, makes the line of a part of it, and parses that.
    fn both(line: &str) -> [Command; 2] {
        let command = parse(line.split_whitespace().map(Into::into).collect());
        let shard = "2/3".parse().expect("a part");
        let done_since = UNIX_EPOCH.checked_add(std::time::Duration::from_nanos(7));
        let part = Part { out: Path::new("out"), shard, saving: SavingChoice::Complete, done_since };
        let mut line = vec!["terzetto".into()];
        line.extend(match &command {
            Command::Piv(args) => args.part(part),
            Command::Bos(args) => args.part(part),
            Command::Preprocess(args) => args.part(part),
            other => panic!("{other:?}"),
        });
        [command, parse(line)]
    }

    /// Takes back what differs in the command line of a part.
    fn undo(input: &mut InputArgs, results: &mut ResultArgs, run: &mut RunArgs) {
        assert_eq!(results.shard.map(|shard| shard.to_string()).as_deref(), Some("2/3"));
        assert_eq!(
            (results.saving, run.quiet, run.executor),
            (SavingChoice::Complete, true, ExecutorChoice::Async)
        );
        assert_eq!(results.done_since.take(), Some(7));
        (input.out, results.shard, results.saving) = (None, None, SavingChoice::Ask);
        (run.quiet, run.executor) = (false, ExecutorChoice::Multi);
    }

    const COMMON: &str = "--workers 3 --queue-max 5 --stop-if-error --log-level debug --executor multi \
                          --params p.toml --if-changed keep --lease 90 --max-errors 7 --gantt";

    #[test]
    fn the_command_line_of_a_part_says_the_same() {
        for (which, output) in [
            ("--range 3:9:2 --couples i:i+3:2 a/b", "--no-plots"),
            ("--couples-file list.txt", "--plots vectors,magnitude --format netcdf"),
            ("a.png b.png", "--format csv"),
        ] {
            let line = format!(
                "terzetto piv {COMMON} --window 24 --overlap 0.75 --passes 2 --mask m.png {output} {which}"
            );
            let [whole, mut part] = both(&line);
            if let Command::Piv(args) = &mut part {
                undo(&mut args.input, &mut args.results, &mut args.run);
            }
            assert_eq!(format!("{part:?}"), format!("{whole:?}"));
        }
        let [whole, mut part] =
            both(&format!("terzetto bos {COMMON} --range 3:9:2 --window 24 reference.png a/b"));
        if let Command::Bos(args) = &mut part {
            undo(&mut args.input, &mut args.results, &mut args.run);
        }
        assert_eq!(format!("{part:?}"), format!("{whole:?}"));
        let [whole, mut part] = both(&format!("terzetto preprocess {COMMON}"));
        if let Command::Preprocess(args) = &mut part {
            undo(&mut args.input, &mut args.results, &mut args.run);
        }
        assert_eq!(format!("{part:?}"), format!("{whole:?}"));
    }
}
