use std::time::Duration;
use tokio::time::sleep;

async fn mirror(name: &'static str, seconds: u64) -> &'static str {
    sleep(Duration::from_secs(seconds)).await;
    name
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // The slower branch is dropped where it stands. It cannot clean up with `await`.
    let fastest = tokio::select! {
        name = mirror("near", 1) => name,
        name = mirror("far", 3) => name,
    };
    println!("{fastest}");
}
