use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::time::Duration;
use tokio::{sync::Notify, time::sleep};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (notify, woken, jobs) =
        (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for _ in 0..100 {
        let (notify, woken, jobs) = (notify.clone(), woken.clone(), jobs.clone());
        tokio::spawn(async move {
            loop {
                notify.notified().await;
                woken.fetch_add(1, Relaxed);
                if jobs.fetch_update(Relaxed, Relaxed, |jobs| jobs.checked_sub(1)).is_ok() {
                    return;
                }
            }
        });
    }
    sleep(Duration::from_millis(1)).await;
    for _ in 0..10 {
        jobs.fetch_add(1, Relaxed);
        notify.notify_waiters(); // all of them, since the program cannot know which task can use it
        sleep(Duration::from_millis(1)).await;
    }
    println!("10 jobs, {} wake-ups", woken.load(Relaxed));
}
