//! `terzetto monitor`: shows the jobs of a folder for results.
//!
//! `table` is the view for people, `live` shows it on a terminal, `json` and `prometheus` are for programs, and
//! `parts` takes the parts of a series together.

mod json;
mod live;
mod parts;
mod prometheus;
mod table;

use std::{io::IsTerminal, path::Path};

use terzetto_executor::{BoxError, job::job_reports};

use crate::commands::{args::MonitorArgs, print_line, run::status::Status};

pub fn command(args: &MonitorArgs) -> Result<Status, BoxError> {
    let folder = &args.folder;
    if !folder.is_dir() {
        return Err(format!("`{}` is no folder", folder.display()).into());
    }
    if let Some(address) = &args.listen {
        return prometheus::serve(folder, address);
    }
    if args.json {
        print_line(&json::text(folder, &job_reports(folder))?);
    } else if args.prometheus {
        print_line(prometheus::text(&job_reports(folder)).trim_end());
    } else if !args.once && std::io::stdout().is_terminal() {
        return live::show(folder);
    } else {
        print_line(&view(folder).join("\n"));
    }
    Ok(Status::Done)
}

/// The lines for people, with the folder's name above.
fn view(folder: &Path) -> Vec<String> {
    let mut lines = vec![folder.display().to_string(), String::new()];
    lines.extend(table::lines(&job_reports(folder)));
    lines
}
