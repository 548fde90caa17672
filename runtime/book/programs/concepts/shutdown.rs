use terzetto::{Builder, CancelScope, Error, current_time, nursery, sleep, testing::MockClock};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
async fn job(number: u32, seconds: f64) -> Result<(), Error> {
    let name = format!("job {number}");
    say(&name, "begins");
    match sleep(seconds).await {
        Ok(()) => say(&name, "ends"),
        Err(cancelled) => {
            say(&name, "is cut off");
            return Err(cancelled.into());
        }
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let accepting = CancelScope::new();
        let working = CancelScope::new();
        nursery(async |n| {
            n.start_soon_named("signal", async {
                sleep(2.5).await?; // here a program waits for a signal
                say("signal", "comes: no new jobs, three seconds for the others");
                accepting.cancel();
                working.set_relative_deadline(3.0);
                Ok(())
            });
            let all_jobs = nursery(async |jobs| {
                let accept = accepting.run(async {
                    for number in 1.. {
                        jobs.start_soon_named(format!("job {number}"), job(number, f64::from(number) * 2.0));
                        sleep(1.0).await?;
                    }
                    Ok(())
                });
                accept.await?;
                Ok(())
            });
            let outcome = working.run(all_jobs).await?;
            say("main", &format!("all has ended: {outcome:?}"));
            Ok(())
        })
        .await
    })
}
// ANCHOR_END: shown
