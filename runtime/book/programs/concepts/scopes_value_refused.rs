use terzetto::{CancelScope, Error, checkpoint};

async fn answer() -> Result<u32, Error> {
    checkpoint().await?;
    Ok(42)
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let number: u32 = CancelScope::new().run(answer()).await?;
        println!("{number}");
        Ok(())
    })
}
