use std::{cell::Cell, io};
use terzetto::{
    Builder, Error, TooSlow, current_time, fail_after, sleep,
    testing::MockClock,
    time::{Backoff, Retry},
};

async fn ask(attempt: u32) -> Result<&'static str, Error> {
    match attempt {
        1 => Ok(sleep(60).await.map(|()| "an answer that is too late")?),
        2 => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
        _ => Err(Error::msg("no such user")),
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        // A slow server and a broken connection may recover. A user that does not exist will not appear.
        let may_recover =
            |error: &Error| error.find::<TooSlow>().is_some() || error.find::<io::Error>().is_some();
        let retry = Retry::new(Backoff::exponential(1)).attempts(5).retry_if(may_recover);
        let attempts = Cell::new(0);
        let answer = retry.run(async || {
            attempts.set(attempts.get() + 1);
            println!("{:.0}: attempt {}", current_time(), attempts.get());
            fail_after(5, ask(attempts.get())).await // at most five seconds for each attempt
        });
        println!("{}", answer.await.expect_err("there is no such user"));
        Ok(())
    })
}
