use std::cell::Cell;
use terzetto::{
    Builder, Error, current_time, sleep, supervise::Supervisor, testing::MockClock, time::Backoff,
};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let lives = Cell::new(0);
        let mail = async || {
            lives.set(lives.get() + 1);
            println!("{:.1} mail: life {}", current_time(), lives.get());
            sleep(10).await?;
            Err(Error::msg("the server hung up"))
        };
        // A task that fails is begun again, after a pause; but all together at most three times in a minute.
        let services = Supervisor::one_for_one()
            .restarts(3, 60)
            .backoff(Backoff::exponential(1).at_most(30))
            .task("mail", mail)
            .task("clock", async || Ok(sleep(3600).await?));
        let error = services.run().await.expect_err("mail fails too often");
        println!("{:.1} {error}", current_time());
        Ok(())
    })
}
