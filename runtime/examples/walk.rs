//! A parallel walk through a directory: a task for each folder, and no more than four folders read at once. It adds up
//! the sizes of the files below a folder that it makes itself, or below the folder that it is given.
//!
//! ```sh
//! cargo run -p terzetto --example walk [FOLDER]
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::cell::Cell;
use terzetto::{
    Error, Nursery,
    fs::{Path, TempDir, create_dir_all, read_dir, write},
    nursery,
    sync::Semaphore,
};

#[derive(Default)]
struct Totals {
    files: Cell<u64>,
    bytes: Cell<u64>,
}

async fn walk<'s>(
    folder: Path,
    at_once: &'s Semaphore,
    totals: &'s Totals,
    n: &'s Nursery<'s, '_>,
) -> Result<(), Error> {
    let _permit = at_once.acquire().await?;
    let mut entries = read_dir(&folder).await?;
    while let Some(entry) = entries.next().await? {
        if entry.file_type()?.is_dir() {
            n.start_soon(walk(entry.path(), at_once, totals, n));
        } else {
            let bytes = entry.metadata().await?.len();
            totals.bytes.set(totals.bytes.get() + bytes);
            totals.files.set(totals.files.get() + 1);
        }
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let example = TempDir::new().await?;
        for i in 0..20_usize {
            let folder = example.path().join(format!("{}/{}", i % 5, i));
            create_dir_all(&folder).await?;
            write(folder.join("file"), vec![0; i]).await?;
        }
        let folder = std::env::args().nth(1).map_or_else(|| example.path().clone(), Path::new);
        let (at_once, totals) = (Semaphore::new(4), Totals::default());
        nursery(async |n| walk(folder, &at_once, &totals, n).await).await?;
        println!("{} files, {} bytes", totals.files.get(), totals.bytes.get());
        Ok(example.close().await?)
    })
}
