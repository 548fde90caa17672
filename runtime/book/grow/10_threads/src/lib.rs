// Step 10: code that blocks; and a server made of all the steps.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    thread,
};
use step_07::{Error, Scope, nursery};
use step_08::{TcpListener, TcpStream};
use step_09::Receiver;

/// Calls a function in a thread of its own. It cannot be cancelled: the task waits until the thread has ended.
/// (The real one keeps its threads, and limits how many there are.)
pub async fn to_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let shared = Arc::new(Mutex::new((None, Waker::noop().clone())));
    let in_thread = shared.clone();
    thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        let mut shared = in_thread.lock().unwrap();
        shared.0 = Some(outcome);
        shared.1.wake_by_ref();
    });
    let outcome = poll_fn(|cx| {
        let mut shared = shared.lock().unwrap();
        shared.1 = cx.waker().clone();
        shared.0.take().map_or(Poll::Pending, Poll::Ready)
    });
    outcome.await.unwrap_or_else(|payload| resume_unwind(payload))
}

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut buffer = [0; 1024];
    loop {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(()),
            n => stream.send_all(&buffer[..n]).await?,
        }
    }
}

/// Serves until something comes through `stop`. Then it accepts no more, and serves those that are connected to
/// their end.
pub async fn serve(listener: TcpListener, stop: Receiver<()>) -> Result<(), Error> {
    let accepting = Scope::default();
    nursery(async |connections| {
        let to_stop = accepting.clone();
        connections.start_soon(async move {
            stop.next().await?;
            to_stop.cancel();
            Ok(())
        });
        let accept = accepting.run(async {
            loop {
                connections.start_soon(echo(listener.accept().await?));
            }
            #[allow(unreachable_code)]
            Ok(())
        });
        accept.await
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{serve, to_thread};
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpStream},
        panic::{AssertUnwindSafe, catch_unwind},
        thread,
    };
    use step_07::{Error, nursery};
    use step_08::{TcpListener, run};
    use step_09::channel;

    #[test]
    fn a_thread_returns_its_value_and_the_loop_goes_on_meanwhile() {
        let outcome = run(nursery(async |n| {
            let (sender, receiver) = channel(1);
            n.start_soon(async move { sender.send(to_thread(|| 42).await).await });
            receiver.next().await
        }));
        assert_eq!(outcome.unwrap(), Ok(Some(Some(42))));
    }

    #[test]
    fn a_panic_in_a_thread_goes_on_in_the_task() {
        let panics = || run(to_thread(|| panic!("a defect")));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    }

    /// A client that blocks: three questions, three answers.
    fn talk(address: SocketAddr) -> usize {
        let mut stream = TcpStream::connect(address).unwrap();
        let mut answers = 0;
        for question in [b"one..", b"two..", b"three"] {
            stream.write_all(question).unwrap();
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).unwrap();
            answers += usize::from(&answer == question);
        }
        answers
    }

    #[test]
    fn the_echo_server_serves_many_clients_and_stops_gracefully() {
        let outcome = run(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.address().unwrap();
            let (stop, stopped) = channel(1);
            nursery(async |n| {
                n.start_soon(serve(listener, stopped));
                let clients = to_thread(move || {
                    let clients: Vec<_> = (0..20).map(|_| thread::spawn(move || talk(address))).collect();
                    clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>()
                });
                assert_eq!(clients.await, 60);
                // One client is connected and served when the server is told to stop.
                let open = to_thread(move || {
                    let mut open = TcpStream::connect(address).unwrap();
                    open.write_all(b"a").unwrap();
                    open.read_exact(&mut [0]).unwrap();
                    open
                });
                let mut open = open.await;
                stop.send(()).await?;
                let last = to_thread(move || {
                    while TcpStream::connect(address).is_ok_and(|mut late| {
                        // It may still be in the system's queue; then nobody answers.
                        let _ = late.set_read_timeout(Some(std::time::Duration::from_millis(20)));
                        late.write_all(b"x").is_ok() && late.read_exact(&mut [0]).is_ok()
                    }) {}
                    open.write_all(b"still here").unwrap();
                    let mut answer = [0; 10];
                    open.read_exact(&mut answer).unwrap();
                    answer
                });
                assert_eq!(&last.await, b"still here");
                Ok::<_, Error>(())
            })
            .await
        });
        assert_eq!(outcome.unwrap(), Ok(Some(())));
    }
}
