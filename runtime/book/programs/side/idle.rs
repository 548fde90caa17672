use terzetto::{
    Builder, Error, nursery,
    sync::Event,
    testing::{MockClock, wait_all_tasks_blocked},
};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let event = Event::new();
        nursery(async |n| {
            n.start_soon(async { Ok(event.wait().await?) });
            n.start_soon(async { Ok(event.wait().await?) });
            wait_all_tasks_blocked(0.0).await?;
            println!("{}", event.tasks_waiting());
            event.set();
            Ok(())
        })
        .await
    })
}
