use terzetto::{
    Builder, Error, current_time, nursery, sleep,
    sync::{Lock, LockGuard},
    testing::MockClock,
};

struct Account {
    number: u32,
    lock: Lock,
}

/// Both locks, that of the lower number first. Everybody takes them in this order, so nobody waits in a circle.
async fn lock_both(a: &Account, b: &Account) -> Result<(LockGuard, LockGuard), Error> {
    let (first, second) = if a.number < b.number { (a, b) } else { (b, a) };
    let first = first.lock.acquire().await?;
    sleep(1.0).await?;
    Ok((first, second.lock.acquire().await?))
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let ada = Account { number: 1, lock: Lock::new() };
        let grace = Account { number: 2, lock: Lock::new() };
        nursery(async |n| {
            for (from, to) in [(&ada, &grace), (&grace, &ada)] {
                n.start_soon(async move {
                    let _both = lock_both(from, to).await?;
                    println!("{:.1} from {} to {}", current_time(), from.number, to.number);
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
}
