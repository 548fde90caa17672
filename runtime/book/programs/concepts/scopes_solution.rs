use std::cell::Cell;
use terzetto::{Builder, Error, current_time, nursery, sleep, testing::MockClock};

/// The value of whichever is done first. The other one is cancelled.
async fn first_of<T>(
    a: impl Future<Output = Result<T, Error>>,
    b: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    let first = Cell::new(None);
    nursery(async |n| {
        n.start_soon(async {
            first.set(Some(a.await?));
            n.cancel_scope().cancel();
            Ok(())
        });
        first.set(Some(b.await?));
        n.cancel_scope().cancel();
        Ok(())
    })
    .await?;
    Ok(first.into_inner())
}

async fn after<T>(seconds: f64, value: T) -> Result<T, Error> {
    sleep(seconds).await?;
    Ok(value)
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        println!("{:?}", first_of(after(3.0, "tea"), after(2.0, "coffee")).await?);
        println!("{:?}", first_of(after(1.0, "tea"), after(2.0, "coffee")).await?);
        println!("after {} seconds", current_time());
        Ok(())
    })
}
