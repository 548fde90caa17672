use terzetto::{Builder, Error, current_time, nursery, sleep, sync::Event, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        async fn waiter(event: &Event) -> Result<(), Error> {
            event.wait().await?;
            println!("woken at {}", current_time());
            Ok(())
        }

        let event = Event::new();
        nursery(async |n| {
            n.start_soon(waiter(&event));
            n.start_soon(waiter(&event));
            sleep(1).await?;
            event.set();
            Ok(())
        })
        .await?;
        println!("set: {}", event.is_set());
        Ok(())
    })
}
