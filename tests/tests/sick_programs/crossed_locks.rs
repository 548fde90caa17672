//! Two tasks take the same two locks in different orders.

use super::{assert_says, deadlock_of, keep};
use terzetto::{Error, checkpoint, nursery, sync::Lock};

async fn transfer(from: &Lock, to: &Lock) -> Result<(), Error> {
    let _from = from.acquire().await?;
    checkpoint().await?;
    let _to = to.acquire().await?;
    Ok(())
}

#[test]
fn see_20_crossed_locks_are_drawn_as_a_circle() {
    let report = deadlock_of(async {
        let (alice, bob) = (Lock::new(), Lock::new());
        nursery(async |n| {
            n.start_soon_named("alice to bob", transfer(&alice, &bob));
            n.start_soon_named("bob to alice", transfer(&bob, &alice));
            Ok(())
        })
        .await
    });
    keep(1, "report of the deadlock", file!(), &report);
    assert_says(
        &report,
        &[
            "deadlock: all 3 tasks are blocked",
            "
  ┌─> task alice to bob is waiting for a lock, held by
  │   task bob to alice is waiting for a lock, held by
  └── task alice to bob
",
        ],
    );
}
