//! `terzetto pages`: the images of a film as a series.

use terzetto_executor::BoxError;
use terzetto_program::films::unpack;

use crate::commands::{args::PagesArgs, print_line, run::status::Status};

pub fn command(args: &PagesArgs) -> Result<Status, BoxError> {
    let PagesArgs { file, folder } = args;
    let pages = unpack(file, folder)?;
    print_line(&format!("{pages} {} in {}", if pages == 1 { "page" } else { "pages" }, folder.display()));
    Ok(Status::Done)
}
