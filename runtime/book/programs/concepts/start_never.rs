use terzetto::{Error, TaskStatus, checkpoint, nursery};

async fn server(_status: TaskStatus<u16>) -> Result<(), Error> {
    // The mistake: it ends, and has never said that it is ready.
    Ok(checkpoint().await?)
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            match n.start_named("server", server).await {
                Ok(port) => println!("it listens on port {port}"),
                Err(error) => println!("{error}"),
            }
            Ok(())
        })
        .await
    })
}
