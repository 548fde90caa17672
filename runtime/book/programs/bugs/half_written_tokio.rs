use std::{fs, io::Write, path::Path, time::Duration};
use tokio::time::{sleep, timeout};

async fn save(path: &Path) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(b"first half, ")?;
    sleep(Duration::from_secs(2)).await; // the second half comes over the network
    file.write_all(b"second half")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> std::io::Result<()> {
    let path = std::env::temp_dir().join(format!("terzetto-book-half-{}", std::process::id()));
    // After a second the future of `save` is dropped in the middle. No line of it runs any more.
    let saved = timeout(Duration::from_secs(1), save(&path)).await;
    println!("saved in time: {}", saved.is_ok());
    println!("on the disk: {:?}", fs::read_to_string(&path)?);
    fs::remove_file(&path)
}
