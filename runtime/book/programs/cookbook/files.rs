use std::cell::Cell;
use terzetto::{
    Error,
    fs::{BufReader, File, TempDir, read_dir, write},
    nursery,
};

/// How many lines the files of a folder have, counted at the same time.
async fn lines_in(folder: &terzetto::fs::Path) -> Result<usize, Error> {
    let total = Cell::new(0);
    let total = &total;
    let mut entries = read_dir(folder).await?;
    nursery(async |n| {
        while let Some(entry) = entries.next().await? {
            n.start_soon(async move {
                let mut lines = BufReader::new(File::open(entry.path()).await?);
                while lines.next_line().await?.is_some() {
                    total.set(total.get() + 1);
                }
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    Ok(total.get())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let folder = TempDir::new().await?;
        write(folder.path().join("a"), "one\ntwo\n").await?;
        write(folder.path().join("b"), "three\n").await?;
        println!("{} lines", lines_in(folder.path()).await?);
        Ok(())
    })
}
