use terzetto::{Error, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        sleep("5s").await?;
        Ok(())
    })
}
