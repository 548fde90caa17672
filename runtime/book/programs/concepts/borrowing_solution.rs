use std::cell::Cell;
use terzetto::{Builder, Error, current_time, nursery, sleep, testing::MockClock};

/// `f` of each item, all at the same time, the results in the order of the items.
async fn map<'a, T, U>(items: &'a [T], f: impl AsyncFn(&'a T) -> Result<U, Error>) -> Result<Vec<U>, Error> {
    let places: Vec<Cell<Option<U>>> = items.iter().map(|_| Cell::new(None)).collect();
    let f = &f;
    nursery(async |n| {
        for (item, place) in items.iter().zip(&places) {
            n.start_soon(async move {
                place.set(Some(f(item).await?));
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    Ok(places.into_iter().filter_map(Cell::into_inner).collect())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let seconds = [3.0, 1.0, 2.0];
        let slept = map(&seconds, async |s| {
            sleep(*s).await?;
            Ok(format!("{s} seconds"))
        });
        println!("{:?} after {} seconds", slept.await?, current_time());
        Ok(())
    })
}
