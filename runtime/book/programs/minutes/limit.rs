use terzetto::{Error, move_on_after, nursery, sleep};

async fn slow() -> Result<&'static str, Error> {
    sleep(60.0).await?;
    Ok("an answer")
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        match move_on_after(0.1, slow()).await? {
            Some(answer) => println!("{answer}"),
            None => println!("no answer in a tenth of a second"),
        }
        let outcome = nursery(async |n| {
            n.start_soon_named("slow", async { slow().await.map(drop) });
            n.start_soon_named("broken", async { Err(Error::msg("the disk is full")) });
            Ok(())
        })
        .await;
        if let Err(error) = outcome {
            println!("the nursery failed: {error}");
        }
        Ok(())
    })
}
