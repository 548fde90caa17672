use std::{io, time::Duration};
use tokio::time::sleep;

async fn flush() -> io::Result<()> {
    sleep(Duration::from_secs(1)).await;
    Err(io::Error::other("the disk is full"))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // The result is in a handle that nobody looks at.
    tokio::spawn(flush());
    sleep(Duration::from_secs(2)).await;
    println!("everything is saved");
}
