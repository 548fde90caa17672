use terzetto::{Error, move_on_after, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let (now, end) = (10.0, 9.0);
        move_on_after(end - now, async { Ok(sleep(1.0).await?) }).await?;
        Ok(())
    })
}
