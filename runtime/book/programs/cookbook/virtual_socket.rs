use std::{io::Write, net::TcpListener, thread, time::Duration};
use terzetto::{
    Builder, Error, TooSlow, current_time, fail_after,
    io::{ReceiveStream, SendStream, TcpStream},
    nursery, sleep,
    testing::{MockClock, memory_stream_pair},
};

async fn read(stream: &impl ReceiveStream) -> Result<usize, Error> {
    fail_after(3600, async { Ok(stream.receive_some(&mut [0; 16]).await?) }).await
}

fn main() -> Result<(), Error> {
    // Not a task of the run, but another program, or a thread: it answers after 50 ms of real time.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client comes");
        thread::sleep(Duration::from_millis(50));
        let _client_may_be_gone = stream.write_all(b"hello");
    });
    Builder::new().clock(MockClock::autojump()).run(async {
        let stream = TcpStream::connect(address).await?;
        // The mistake: for the clock, a wait for a socket is a reason to jump.
        let late = read(&stream).await.expect_err("the clock jumps at once");
        println!("{:.0} s: too slow: {}", current_time(), late.find::<TooSlow>().is_some());

        let (ours, theirs) = memory_stream_pair();
        nursery(async |n| {
            n.start_soon(async {
                sleep(1800).await?;
                Ok(theirs.send_all(b"hello").await?)
            });
            println!("{} bytes", read(&ours).await?);
            println!("{:.0} s: half an hour later", current_time());
            Ok(())
        })
        .await
    })?;
    server.join().expect("the server has not panicked");
    Ok(())
}
