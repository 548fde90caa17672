//! Asks a person what to do with results that exist.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
};

use terzetto_executor::{
    BoxError,
    results::{Saving, SavingPlan},
};

/// Decides where results go. If necessary, asks the person at the terminal.
pub fn plan(saving: Saving, folder: &Path) -> Result<SavingPlan, BoxError> {
    let plan = saving
        .plan(folder, &ask)
        .map_err(|error| format!("cannot look at the folder `{}`: {error}", folder.display()))?;
    plan.ok_or_else(|| {
        let hint = "say --saving complete, recompute or new-dir";
        format!("the folder `{}` is not empty: {hint}", folder.display()).into()
    })
}

fn ask(folder: &Path) -> Option<Saving> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    loop {
        let question = "is not empty. [n]ew folder, [c]omplete, [r]ecompute, [s]top?";
        write!(std::io::stderr(), "`{}` {question} ", folder.display()).ok()?;
        let mut answer = String::new();
        if std::io::stdin().lock().read_line(&mut answer).ok()? == 0 {
            return None;
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "n" | "new" => return Some(Saving::NewDir),
            "c" | "complete" => return Some(Saving::Complete),
            "r" | "recompute" => return Some(Saving::Recompute),
            "s" | "stop" => return None,
            _ => {}
        }
    }
}
