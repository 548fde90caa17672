use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{sleep, sleep_until},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (sender, mut receiver) = mpsc::channel(10);
    tokio::spawn(async move {
        for number in 1..=4 {
            sleep(Duration::from_secs(1)).await;
            let _ = sender.send(number).await;
        }
    });
    let status = tokio::time::Instant::now() + Duration::from_millis(1500);
    let mut told = false;
    loop {
        tokio::select! {
            pair = async {
                let first = receiver.recv().await?;
                let second = receiver.recv().await?;
                Some((first, second))
            } => match pair {
                Some(pair) => println!("{pair:?}"),
                None => return,
            },
            // When this branch wins, the other one is dropped, with the number that it has received already.
            () = sleep_until(status), if !told => {
                println!("status: all is well");
                told = true;
            }
        }
    }
}
