//! FILE: files and folders, through threads.

mod cancel;
mod dropped;
mod file;
mod folder;
mod lines;
mod path;
mod temp;

use terzetto::{Error, fs::TempDir};

/// Runs `test` with a folder of its own.
fn in_a_folder(test: impl AsyncFnOnce(&TempDir) -> Result<(), Error>) {
    terzetto::run(async {
        let dir = TempDir::new().await?;
        test(&dir).await?;
        let path = dir.path().clone();
        dir.close().await?;
        assert!(!path.try_exists().await?);
        Ok(())
    })
    .unwrap();
}
