use std::cell::Cell;
use terzetto::{Builder, Error, current_time, nursery, sleep_until, testing::MockClock};

/// Lets through so many calls in a second, evenly.
struct Rate {
    interval: f64,
    next: Cell<f64>,
}

impl Rate {
    fn per_second(calls: f64) -> Rate {
        Rate { interval: 1.0 / calls, next: Cell::new(f64::NEG_INFINITY) }
    }

    /// Waits for its turn. A caller that is cancelled has used its turn up.
    async fn turn(&self) -> Result<(), Error> {
        let mine = self.next.get().max(current_time());
        self.next.set(mine + self.interval);
        Ok(sleep_until(mine).await?)
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let rate = Rate::per_second(2.0);
        let rate = &rate;
        nursery(async |n| {
            for call in 1..=5 {
                n.start_soon(async move {
                    rate.turn().await?;
                    println!("{:.1} call {call}", current_time());
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
}
