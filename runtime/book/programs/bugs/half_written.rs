use terzetto::{
    Error,
    fs::{Path, TempDir, TempFile, read_to_string},
    move_on_after, sleep,
};

/// Writes a file, which appears in one step when it is complete. Else nothing of it is left.
async fn save(folder: &Path, name: &str) -> Result<(), Error> {
    let file = TempFile::new_in(folder).await?;
    file.file().write_all("first half, ").await?;
    sleep(3600).await?; // the second half comes over the network
    file.file().write_all("second half").await?;
    file.persist(folder.join(name)).await?;
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let folder = TempDir::new().await?;
        let saved = move_on_after(0.1, save(folder.path(), "letter")).await?;
        println!("saved in time: {}", saved.is_some());
        match read_to_string(folder.path().join("letter")).await {
            Ok(text) => println!("on the disk: {text:?}"),
            Err(_) => println!("on the disk: nothing"),
        }
        Ok(folder.close().await?)
    })
}
