use std::cell::RefCell;
use terzetto::{Builder, Error, current_time, nursery, sleep, sync::Condition, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let items = RefCell::new(Vec::new());
        let condition = Condition::new();
        nursery(async |n| {
            n.start_soon(async {
                let mut guard = condition.acquire().await?;
                while items.borrow().is_empty() {
                    condition.wait(&mut guard).await?;
                }
                let item: &str = items.borrow_mut().pop().expect("it is not empty");
                println!("took {item} at {}", current_time());
                Ok(())
            });
            sleep(1).await?;
            let _guard = condition.acquire().await?;
            items.borrow_mut().push("apple");
            condition.notify(1)?;
            Ok(())
        })
        .await
    })
}
