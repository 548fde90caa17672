use terzetto::{Error, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        println!("hello");
        sleep(0.1).await?;
        println!("and goodbye");
        Ok(())
    })
}
