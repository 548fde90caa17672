//! A stream of the standard library where one of the runtime is needed.
async fn greet(stream: impl terzetto::io::SendStream) -> Result<(), terzetto::Error> {
    Ok(stream.send_all(b"hello").await?)
}

fn main() {
    let _run = terzetto::run(async {
        let stream = std::net::TcpStream::connect("127.0.0.1:80")?;
        greet(stream).await
    });
}
