use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (sender, mut receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for word in ["one", "two"] {
            sleep(Duration::from_secs(1)).await;
            if sender.send(word).await.is_err() {
                return;
            }
        }
        sleep(Duration::from_secs(60)).await;
    });
    loop {
        match timeout(Duration::from_secs(5), receiver.recv()).await {
            Ok(Some(word)) => println!("{word}"),
            Ok(None) => return,
            Err(_) => {
                println!("nothing for five seconds");
                return;
            }
        }
    }
}
