//! What the results were made with: the head of the table.

use crate::options::Options;
use std::{
    fmt::{self, Display, Formatter},
    fs,
    process::Command,
    thread,
};

/// What the peers were built from.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// Those packages whose versions are told.
const PACKAGES: [&str; 9] = [
    "tokio",
    "async-executor",
    "async-io",
    "async-channel",
    "blocking",
    "monoio",
    "local-sync",
    "futures",
    "moro-local",
];

/// Names, and what was found for them.
pub struct Conditions(Vec<(&'static str, String)>);

impl Conditions {
    /// Those of now. What cannot be found out is called unknown.
    pub fn now(options: &Options) -> Conditions {
        let command = command(std::env::args().skip(1));
        let commit = said(&["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]);
        let cores = thread::available_parallelism().map_or(0, usize::from);
        let mut lines = vec![
            ("commit", commit),
            ("command", format!("`{command}`")),
            ("date", said(&["date", "--utc", "+%Y-%m-%d %H:%M UTC"])),
            ("processor", format!("{}, {cores} cores", processor())),
            ("kernel", said(&["uname", "-srm"])),
            ("compiler", said(&["rustc", "--version"])),
            ("peers", versions(LOCK, &PACKAGES)),
        ];
        if let Some(python) = &options.python {
            let print = "import sys, trio; print(sys.version.split()[0] + ', trio', trio.__version__)";
            lines.push(("Python", said(&[python, "-c", print])));
        }
        lines.push(("rounds", options.rounds.to_string()));
        Conditions(lines)
    }
}

/// The command with these arguments. Where something lies on this machine is of no use on another.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let words = arguments.map(|word| if word.contains('/') { "PATH".to_owned() } else { word });
    ["benches/run".to_owned()].into_iter().chain(words).collect::<Vec<String>>().join(" ")
}

impl Display for Conditions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, value)| writeln!(f, "- {name}: {value}"))
    }
}

/// What a command says.
fn said(command: &[&str]) -> String {
    let [program, arguments @ ..] = command else { return unknown() };
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => unknown(),
    }
}

/// The model of the processor, as Linux tells it.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(unknown, |(_, model)| model.to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The packages of a lock file that have one of these names, with their versions.
fn versions(lock: &str, names: &[&str]) -> String {
    let field = |package: &str, name: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let packages = lock.split("[[package]]").filter_map(|package| {
        let name = field(package, "name").filter(|name| names.contains(&name.as_str()))?;
        Some(format!("{name} {}", field(package, "version")?))
    });
    packages.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{LOCK, PACKAGES, command, versions};

    #[test]
    fn the_command_names_no_place_of_the_machine() {
        let arguments = ["--rounds", "3", "--python", "/opt/trio/bin/python"].map(str::to_owned);
        assert_eq!(command(arguments.into_iter()), "benches/run --rounds 3 --python PATH");
    }

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"one\"\nversion = \"1.2.3\"\ndependencies = [\n \"two\",\n]\n\n\
                    [[package]]\nname = \"two\"\nversion = \"0.1.0\"\n";
        assert_eq!(versions(lock, &["one"]), "one 1.2.3");
        assert_eq!(versions(lock, &["two", "one"]), "one 1.2.3, two 0.1.0");
    }

    #[test]
    fn every_peer_has_a_version() {
        let versions = versions(LOCK, &PACKAGES);
        for package in PACKAGES {
            assert!(versions.contains(&format!("{package} ")), "{package} is not among {versions}");
        }
    }
}
