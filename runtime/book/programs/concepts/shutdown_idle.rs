use std::cell::Cell;
use terzetto::{
    Builder, CancelScope, Error, current_time,
    graceful::{finish, until_shut_down},
    io::{ReceiveStream, SendStream},
    nursery, sleep,
    testing::{MemoryStream, MockClock, memory_stream_pair},
};

/// Answers requests. A request is a number of seconds, which the answer takes.
async fn answer(stream: MemoryStream) -> Result<(), Error> {
    let mut buffer = [0; 1];
    loop {
        // The shutdown ends a wait for a request. It does not end work on a request.
        match until_shut_down(async { Ok(stream.receive_some(&mut buffer).await?) }).await? {
            None | Some(0) => return Ok(()),
            Some(_) => {
                sleep(f64::from(buffer[0])).await?;
                stream.send_all(b"done").await?;
            }
        }
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let cut_off = Cell::new(0);
        let handle = async |name: &str, stream: MemoryStream| {
            let outcome = finish(answer(stream)).await;
            if outcome.as_ref().is_err_and(Error::is_cancelled) {
                cut_off.set(cut_off.get() + 1);
                println!("{:.1} {name} is cut off", current_time());
            } else {
                println!("{:.1} {name} is closed", current_time());
            }
            outcome
        };
        let (idle, idle_side) = memory_stream_pair();
        let (busy, busy_side) = memory_stream_pair();
        let (slow, slow_side) = memory_stream_pair();
        busy.send_all(&[3]).await?;
        slow.send_all(&[60]).await?;
        let scope = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                sleep(1).await?; // here a program waits for a signal
                println!("{:.1} the end begins", current_time());
                scope.shut_down(5);
                Ok(())
            });
            let server = nursery(async |connections| {
                connections.start_soon(handle("idle", idle_side));
                connections.start_soon(handle("busy", busy_side));
                connections.start_soon(handle("slow", slow_side));
                sleep(86_400).await?; // here a program accepts connections
                Ok(())
            });
            let outcome = scope.run(server).await?;
            println!("{outcome:?}, and {} connection was cut off", cut_off.get());
            Ok(())
        })
        .await?;
        drop((idle, busy, slow));
        Ok(())
    })
}
