use std::{sync::Arc, time::Duration};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let names = Arc::new([String::from("Ada"), String::from("Grace")]);
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..2 {
        let names = names.clone();
        tasks.spawn(async move {
            tokio::time::sleep(Duration::from_millis(10 * (i as u64 + 1))).await;
            if i == 1 {
                return Err(format!("no reply from {}", names[i]));
            }
            println!("hello {}", names[i]);
            Ok(())
        });
    }
    // Without this loop the tasks would be cut off, and the error would be lost.
    while let Some(joined) = tasks.join_next().await {
        if let Err(error) = joined.expect("no task panics") {
            println!("failed: {error}");
        }
    }
}
