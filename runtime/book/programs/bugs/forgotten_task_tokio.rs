use std::time::Duration;
use tokio::time::sleep;

async fn handle(request: &str) {
    println!("{request}: answered");
    let request = request.to_owned();
    // Nobody waits for this task.
    tokio::spawn(async move {
        sleep(Duration::from_secs(1)).await;
        println!("{request}: written to the log");
    });
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    handle("first").await;
    sleep(Duration::from_secs(2)).await;
    handle("last").await;
    println!("the program ends");
}
