use terzetto::{Builder, Error, current_time, move_on_after, sleep, sleep_until, testing::MockClock};

/// Calls a function at fixed times. A call that takes long does not move the later ones; a missed time is left out.
async fn every(period: f64, mut call: impl AsyncFnMut() -> Result<(), Error>) -> Result<(), Error> {
    let mut next = current_time();
    loop {
        call().await?;
        next += period;
        while next < current_time() {
            next += period;
        }
        sleep_until(next).await?;
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let mut durations = [0.2, 2.5, 0.2, 0.2].into_iter();
        let ticks = every(1.0, async || {
            println!("at {:.1}", current_time());
            Ok(sleep(durations.next().unwrap_or(0.2)).await?)
        });
        move_on_after(5.5, ticks).await?;
        Ok(())
    })
}
