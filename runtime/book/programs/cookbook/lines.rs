use terzetto::{
    Error,
    io::{HalfCloseableStream, ReceiveStream, SendStream},
    nursery,
    testing::memory_stream_pair,
};

/// Reads lines from any stream.
struct Lines<S> {
    stream: S,
    received: Vec<u8>,
    most: usize,
}

impl<S: ReceiveStream> Lines<S> {
    fn new(stream: S, most: usize) -> Lines<S> {
        Lines { stream, received: Vec::new(), most }
    }

    /// The next line without its end, or `None` at the end of the stream. If it is cancelled, nothing is lost: what was
    /// received is kept for the next call.
    async fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                return Ok(Some(String::from_utf8(line[..end].to_vec())?));
            }
            if self.received.len() > self.most {
                return Err(Error::msg(format!("a line is longer than {} bytes", self.most)));
            }
            let mut buffer = [0; 1024];
            match self.stream.receive_some(&mut buffer).await? {
                0 if self.received.is_empty() => return Ok(None),
                0 => return Err(Error::msg("the stream ends in the middle of a line")),
                n => self.received.extend_from_slice(&buffer[..n]),
            }
        }
    }
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let (client, server) = memory_stream_pair();
        nursery(async |n| {
            n.start_soon(async move {
                for part in ["hel", "lo\nhow a", "re you\n"] {
                    client.send_all(part.as_bytes()).await?;
                }
                Ok(client.send_eof().await?)
            });
            let mut lines = Lines::new(server, 1000);
            while let Some(line) = lines.next().await? {
                println!("{line}");
            }
            Ok(())
        })
        .await
    })
}
