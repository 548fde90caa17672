use std::panic::{AssertUnwindSafe, catch_unwind};
use terzetto::{Builder, Error, current_time, nursery, sleep, supervise::Supervisor, testing::MockClock};

fn main() -> Result<(), Error> {
    let run = || {
        Builder::new().clock(MockClock::autojump()).run(async {
            nursery(async |n| {
                n.start_soon(async {
                    let outcome = sleep(60.0).await;
                    println!("{:.1} the sibling is cancelled: {}", current_time(), outcome.is_err());
                    Ok(outcome?)
                });
                let supervisor = Supervisor::one_for_one().restarts(10, 60);
                let average = async || {
                    println!("{:.1} average begins", current_time());
                    sleep(1.0).await?;
                    let numbers: Vec<u32> = Vec::new();
                    println!("{}", numbers.iter().sum::<u32>() / numbers.len() as u32);
                    Ok(())
                };
                n.start_soon_named("services", supervisor.task("average", average).run());
                Ok(())
            })
            .await
        })
    };
    // Only to show where the panic ends. A program lets it go on.
    let panicked = catch_unwind(AssertUnwindSafe(run)).is_err();
    println!("the panic came out of the run: {panicked}");
    Ok(())
}
