use std::cell::Cell;
use terzetto::{Builder, Error, current_time, nursery, sleep, testing::MockClock};

async fn ask(mirror: u32) -> Result<String, Error> {
    sleep(if mirror == 1 { 30.0 } else { 0.5 }).await?;
    Ok(format!("an answer from mirror {mirror}"))
}

/// Asks the first mirror, and each further one if there is no answer after `delay`. The first answer counts.
async fn hedged(mirrors: &[u32], delay: f64) -> Result<Option<String>, Error> {
    let answer = Cell::new(None);
    let answer = &answer;
    nursery(async |n| {
        for &mirror in mirrors {
            n.start_soon(async move {
                answer.set(Some(ask(mirror).await?));
                n.cancel_scope().cancel();
                Ok(())
            });
            sleep(delay).await?;
        }
        Ok(())
    })
    .await?;
    Ok(answer.take())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        println!("{:?} after {} seconds", hedged(&[1, 2, 3], 2.0).await?, current_time());
        Ok(())
    })
}
