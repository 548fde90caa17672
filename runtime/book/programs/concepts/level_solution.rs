use terzetto::{Builder, CancelScope, Error, move_on_after, sleep, testing::MockClock};

struct Connection;

impl Connection {
    async fn send(&self, text: &str) -> Result<(), Error> {
        sleep(0.1).await?;
        println!("sent: {text}");
        Ok(())
    }
}

/// Gives a connection to `work`, and says goodbye afterwards, however that ends.
async fn with_connection<T>(work: impl AsyncFnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
    let connection = Connection;
    let outcome = work(&connection).await;
    let goodbye = CancelScope::with_timeout(1.0).shielded(true);
    let said = goodbye.run(connection.send("goodbye")).await;
    // The error of the work comes first; then that of the goodbye.
    let value = outcome?;
    said?;
    Ok(value)
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        with_connection(async |connection| connection.send("hello").await).await?;
        let cut = move_on_after(1.0, async {
            with_connection(async |connection| {
                connection.send("a question").await?;
                Ok(sleep(60.0).await?)
            })
            .await
        });
        println!("{:?}", cut.await?);
        Ok(())
    })
}
