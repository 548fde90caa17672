use std::{pin::pin, time::Duration};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let lock = Mutex::new(());
    let mut slow = pin!(async {
        let _guard = lock.lock().await;
        sleep(Duration::from_secs(1)).await;
    });
    tokio::select! {
        () = &mut slow => println!("slow has ended"),
        () = sleep(Duration::from_millis(500)) => {
            // `slow` still has the lock, and while this branch runs nobody polls it.
            let waited = timeout(Duration::from_secs(60), lock.lock()).await;
            println!("got the lock in a minute: {}", waited.is_ok());
        }
    }
}
