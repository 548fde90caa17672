//! A loop over a channel does not end, since one more sender is alive than was thought.

use super::{assert_says, deadlock_of, keep};
use terzetto::{channel, nursery};

#[test]
fn see_22_a_forgotten_sender_is_named_by_where_it_was_made() {
    let made = std::cell::Cell::new(0);
    let report = deadlock_of(async {
        made.set(line!() + 1);
        let (sender, receiver) = channel::<u32>(10);
        nursery(async |n| {
            for i in 0..3 {
                let sender = sender.clone();
                n.start_soon_named("worker", async move { Ok(sender.send(i).await?) });
            }
            // Here `drop(sender)` is missing.
            while receiver.next().await?.is_some() {}
            Ok(())
        })
        .await
    });
    keep(3, "report of the deadlock", file!(), &report);
    // The workers' clones are gone, and the first sender is left.
    let cause = format!("(1 sender is open: 1 made with the channel at {}:{})", file!(), made.get());
    assert_says(&report, &["task main, receiving from a channel", &cause]);
}
