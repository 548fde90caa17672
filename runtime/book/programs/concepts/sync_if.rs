use std::cell::RefCell;
use terzetto::{Builder, Error, nursery, sleep, sync::Condition, testing::MockClock};

async fn take(arrived: &Condition, loaves: &RefCell<Vec<&str>>) -> Result<(), Error> {
    let mut held = arrived.acquire().await?;
    // The mistake: it looks once. When it has the lock again, somebody else may have taken the loaf.
    if loaves.borrow().is_empty() {
        arrived.wait(&mut held).await?;
    }
    let loaf = loaves.borrow_mut().pop();
    println!("takes {loaf:?}");
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (arrived, loaves) = (Condition::new(), RefCell::default());
        nursery(async |n| {
            n.start_soon(take(&arrived, &loaves));
            n.start_soon(take(&arrived, &loaves));
            sleep(1.0).await?;
            let _held = arrived.acquire().await?;
            loaves.borrow_mut().push("a loaf");
            arrived.notify_all()?;
            Ok(())
        })
        .await
    })
}
