use terzetto::{
    Builder, CancelScope, Error, channel, current_time,
    graceful::{finish, until_shut_down},
    nursery, sleep,
    testing::MockClock,
};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (requests, taken) = channel(10);
        for request in 1..=5 {
            requests.send(request).await?;
        }
        let scope = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                sleep(2.5).await?; // here a program waits for a signal
                println!("{:.1} the end begins", current_time());
                scope.shut_down(3.0);
                Ok(())
            });
            let worker = finish(async {
                // To wait for more work is cut short by the shutdown. To finish what was taken is not.
                while let Some(request) = until_shut_down(async { Ok(taken.receive().await?) }).await? {
                    sleep(1).await?;
                    println!("{:.1} request {request} is done", current_time());
                }
                Ok(())
            });
            println!("{:?}", scope.run(worker).await?);
            Ok(())
        })
        .await
    })
}
