//! The arguments of `terzetto topology`.

use std::path::PathBuf;

use clap::Args;

use super::RunArgs;

#[derive(Debug, Args)]
pub struct TopologyArgs {
    /// Which one: a name, or a file that ends in .toml [default: list the names]
    pub name: Option<String>,
    /// Draw its graph: into a file whose name ends in .svg or .dot, or print it as dot
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", requires = "name")]
    pub graph: Option<PathBuf>,
    /// List the works that a file can be made of
    #[arg(long, conflicts_with = "name")]
    pub works: bool,
    /// Of a file: list the items that its sources would give. No work is called, and nothing is written
    #[arg(long, requires = "name")]
    pub dry_run: bool,
    /// Of a file: run it. Files that it writes replace those that are there
    #[arg(long, requires = "name", conflicts_with = "dry_run")]
    pub run: bool,
    /// How much there is of what works use, such as gpu=2. It may be given several times
    #[arg(long, value_name = "NAME=AMOUNT", value_parser = parse_resource, requires = "name")]
    pub resource: Vec<(String, u64)>,
    #[command(flatten)]
    pub how: RunArgs,
}

fn parse_resource(text: &str) -> Result<(String, u64), String> {
    let wrong = || "must be a name and a whole number, such as gpu=2".to_owned();
    let (name, amount) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
    Ok((name.to_owned(), amount.parse().map_err(|_| wrong())?))
}
