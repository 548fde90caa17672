use terzetto::{
    Builder, CancelScope, Error,
    io::{ReceiveStream, SendStream},
    move_on_after,
    testing::{MemoryStream, MockClock, memory_stream_pair},
};

/// Asks, and waits for the answer. If it is cut short, it tells the other side, if that takes at most a second.
async fn query(stream: &MemoryStream, question: &[u8]) -> Result<Vec<u8>, Error> {
    let answer = async {
        stream.send_all(question).await?;
        let mut buffer = [0; 64];
        let n = stream.receive_some(&mut buffer).await?;
        Ok(buffer[..n].to_vec())
    };
    let answer: Result<_, Error> = answer.await;
    if matches!(&answer, Err(error) if error.is_cancelled()) {
        let cleanup = CancelScope::with_timeout(1).shielded(true);
        cleanup.run(async { Ok(stream.send_all(b" CANCEL").await?) }).await?;
    }
    answer
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (client, server) = memory_stream_pair();
        let answer = move_on_after(5, query(&client, b"SELECT")).await?;
        let mut received = [0; 64];
        let n = server.receive_some(&mut received).await?;
        println!("the client has {answer:?}; the server has {:?}", String::from_utf8_lossy(&received[..n]));
        Ok(())
    })
}
