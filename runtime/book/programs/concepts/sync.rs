use std::cell::Cell;
use terzetto::{
    Builder, Error, current_time, nursery, sleep,
    sync::{Event, Lock, Semaphore},
    testing::MockClock,
};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
/// A bank with two counters, one book, and a door.
struct Bank {
    opened: Event,
    counters: Semaphore,
    book: Lock,
    balance: Cell<i32>,
}

async fn customer(name: &str, amount: i32, bank: &Bank) -> Result<(), Error> {
    bank.opened.wait().await?;
    let _counter = bank.counters.acquire().await?;
    say(name, "is at a counter");
    sleep(1.0).await?; // to fill in a form
    let _book = bank.book.acquire().await?;
    let balance = bank.balance.get();
    say(name, &format!("reads {balance}"));
    sleep(0.5).await?; // others run meanwhile, but nobody else has the book
    bank.balance.set(balance + amount);
    say(name, &format!("writes {}", balance + amount));
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let bank = Bank {
            opened: Event::new(),
            counters: Semaphore::new(2),
            book: Lock::new(),
            balance: Cell::new(100),
        };
        nursery(async |n| {
            n.start_soon_named("ada", customer("ada", 10, &bank));
            n.start_soon_named("grace", customer("grace", -30, &bank));
            n.start_soon_named("alan", customer("alan", 5, &bank));
            sleep(1.0).await?;
            say("main", "opens the door");
            bank.opened.set();
            Ok(())
        })
        .await?;
        say("main", &format!("counts {}", bank.balance.get()));
        Ok(())
    })
}
// ANCHOR_END: shown
