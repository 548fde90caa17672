use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            n => stream.write_all(&buffer[..n]).await?,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (stop, mut stopped) = watch::channel(false);
    // tokio's own `signal` needs another feature; this thread does the same.
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT])?;
    std::thread::spawn(move || {
        signals.forever().next();
        let _ = stop.send(true);
    });
    println!("listening on {}", listener.local_addr()?);

    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(echo(stream));
            }
            Some(ended) = connections.join_next() => report(ended),
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    let rest = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    match timeout(Duration::from_secs(5), rest).await {
        Ok(()) => println!("all connections have ended"),
        Err(_) => println!("some connections were cut off"),
    }
    Ok(())
}

fn report(ended: Result<std::io::Result<()>, tokio::task::JoinError>) {
    if let Ok(Err(error)) = ended {
        println!("a connection failed: {error}");
    }
}
