use terzetto::{Error, TaskStatus, nursery};

async fn server(status: TaskStatus<u16>) -> Result<(), Error> {
    for port in [80, 443] {
        // The mistake: two ports are two calls.
        status.started(port)?;
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            println!("it listens on port {}", n.start_named("server", server).await?);
            Ok(())
        })
        .await
    })
}
