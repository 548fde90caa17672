//! A parallel walk through a directory, one level after the other: a task for each folder, and no more than four folders
//! read at once. It adds up the sizes of the files below a folder that it makes itself, or below the folder that it is
//! given.
//!
//! ```sh
//! cargo run -p terzetto --example walk [FOLDER]
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::cell::Cell;
use terzetto::{
    Error,
    children::map,
    fs::{Path, TempDir, create_dir_all, read_dir, write},
};

#[derive(Default)]
struct Totals {
    files: Cell<u64>,
    bytes: Cell<u64>,
}

/// Counts the files in a folder. Returns the folders in it.
async fn read(folder: Path, totals: &Totals) -> Result<Vec<Path>, Error> {
    let (mut entries, mut folders) = (read_dir(&folder).await?, Vec::new());
    while let Some(entry) = entries.next().await? {
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        } else {
            let bytes = entry.metadata().await?.len();
            totals.bytes.set(totals.bytes.get() + bytes);
            totals.files.set(totals.files.get() + 1);
        }
    }
    Ok(folders)
}

/// The whole program, for a run: the folder that was asked for, or an example of one.
pub async fn program(asked: Option<Path>) -> Result<(), Error> {
    let example = TempDir::new().await?;
    for i in 0..20_usize {
        let folder = example.path().join(format!("{}/{}", i % 5, i));
        create_dir_all(&folder).await?;
        write(folder.join("file"), vec![0; i]).await?;
    }
    let folder = asked.unwrap_or_else(|| example.path().clone());
    let (mut folders, totals) = (vec![folder], Totals::default());
    while !folders.is_empty() {
        let read = map(folders.into_iter(), async |folder| read(folder, &totals).await);
        folders = read.at_most(4).collect().await?.into_iter().flatten().collect();
    }
    println!("{} files, {} bytes", totals.files.get(), totals.bytes.get());
    Ok(example.close().await?)
}

fn main() -> Result<(), Error> {
    terzetto::run(program(std::env::args().nth(1).map(Path::new)))
}
