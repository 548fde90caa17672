use terzetto::{
    Builder, Error, blocked_report, move_on_after, nursery, sleep, sync::Event, testing::MockClock,
};

async fn serve(ready: &Event) -> Result<(), Error> {
    // The mistake: nobody calls `ready.set()`.
    ready.wait().await?;
    println!("serving");
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let ready = Event::new();
        let service = nursery(async |n| {
            n.start_soon(serve(&ready));
            n.start_soon_named("watch", async {
                sleep(30).await?;
                println!("{}", blocked_report());
                Ok(())
            });
            Ok(())
        });
        move_on_after(60, service).await?;
        Ok(())
    })
}
