use std::cell::Cell;
use terzetto::{Builder, CancelScope, Error, checkpoint, testing::cancel_everywhere};

/// Takes from one account and gives to the other. The mistake: between the two it can be cancelled.
async fn careless(from: &Cell<i32>, to: &Cell<i32>) -> Result<(), Error> {
    from.set(from.get() - 10);
    checkpoint().await?; // it asks the bank
    to.set(to.get() + 10);
    Ok(())
}

/// The same under a shield.
async fn careful(from: &Cell<i32>, to: &Cell<i32>) -> Result<(), Error> {
    checkpoint().await?;
    CancelScope::with_timeout(5).shielded(true).run(careless(from, to)).await?;
    Ok(())
}

fn main() -> Result<(), Error> {
    // What the totals are when `careless` is cancelled at its checkpoint.
    let (from, to) = (Cell::new(100), Cell::new(0));
    Builder::new().run(async {
        let scope = CancelScope::new();
        scope.cancel();
        scope.run(careless(&from, &to)).await
    })?;
    println!("careless: {} in all", from.get() + to.get());

    // The test runs `careful` once for each of its cancel points, and cancels it there.
    let coverage = cancel_everywhere(async || {
        let (from, to) = (Cell::new(100), Cell::new(0));
        let outcome = careful(&from, &to).await;
        assert_eq!(from.get() + to.get(), 100, "no money is lost");
        outcome
    });
    println!("careful: cancelled at each of {} points, and nothing was lost", coverage.points);
    Ok(())
}
