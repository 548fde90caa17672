use terzetto::{Builder, CancelScope, Error, channel, current_time, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (signal, signals) = channel(1);
        let working = CancelScope::new();
        nursery(async |n| {
            // The user presses Ctrl-C, and one second later again.
            n.start_soon(async move {
                for _ in 0..2 {
                    sleep(1.0).await?;
                    signal.send("SIGINT").await?;
                }
                Ok(())
            });
            n.start_soon(async {
                signals.receive().await?;
                println!("{:.1} first signal: sixty seconds of grace", current_time());
                working.set_relative_deadline(60.0);
                signals.receive().await?;
                println!("{:.1} second signal: none", current_time());
                working.cancel();
                Ok(())
            });
            let outcome = working.run(async { Ok(sleep(86_400.0).await?) }).await?;
            println!("{:.1} the work has ended: {outcome:?}", current_time());
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
