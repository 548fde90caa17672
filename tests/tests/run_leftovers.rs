//! What is kept of a run that has ended keeps none of its descriptors open.

use std::{fs, mem::forget, os::unix::net::UnixStream as StdStream, time::Duration};
use terzetto::{
    Error, channel,
    io::{ReceiveStream, UnixStream},
    lowlevel::{GuestTick, Token},
    move_on_after, nursery, sleep, sleep_forever,
    sync::Event,
};
use terzetto_tests::{begin, within};

/// How many descriptors this process has open.
fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Runs `run` some times, which keeps something of each run, and says how many descriptors are open after that.
fn more_open_after(times: usize, mut run: impl FnMut()) -> isize {
    run();
    let before = open_descriptors();
    (0..times).for_each(|_| run());
    open_descriptors() as isize - before as isize
}

// One test, since the descriptors are those of the whole process.
#[cfg(target_os = "linux")]
#[test]
fn run_09_what_is_kept_of_an_ended_run_keeps_no_descriptor_open() {
    // A future that is leaked, with a nursery and a scope, which hold the run.
    let leaked = more_open_after(20, || {
        terzetto::run(async {
            let mut block = Box::pin(move_on_after(
                60.0,
                nursery(async |n| {
                    n.start_soon(async { Ok(sleep_forever().await?) });
                    Ok(sleep(60.0).await?)
                }),
            ));
            begin(&mut block).await;
            forget(block);
            Ok(())
        })
        .unwrap();
    });
    assert_eq!(leaked, 0, "futures that were leaked");

    // Tokens, wakers, channels and events that are kept.
    let mut kept = Vec::new();
    let with_tokens = more_open_after(20, || {
        let of_this_run = terzetto::run(async {
            let token = Token::current();
            let waker = std::future::poll_fn(|cx| std::task::Poll::Ready(cx.waker().clone())).await;
            Ok((token, waker, channel::<u8>(1), Event::new()))
        });
        kept.push(of_this_run.unwrap());
    });
    assert_eq!(with_tokens, 0, "tokens and wakers that are kept");
    for (token, waker, ..) in &kept {
        // They know that the run has ended.
        assert!(token.run_sync_soon(|| ()).is_err());
        waker.wake_by_ref();
    }

    // A stream has a descriptor of its own; it can be dropped after the run.
    let mut streams = Vec::new();
    let with_streams = more_open_after(20, || {
        let (one, other) = StdStream::pair().unwrap();
        let stream = terzetto::run(async {
            let stream = UnixStream::from_std(one)?;
            let _nothing = move_on_after(0.001, async { Ok(stream.receive_some(&mut [0]).await?) }).await?;
            Ok(stream)
        });
        streams.push((stream.unwrap(), other));
    });
    assert_eq!(with_streams, 40, "the two ends of each pair, and nothing else");
    let before = open_descriptors();
    let count = streams.len();
    drop(streams);
    assert_eq!(before - open_descriptors(), 2 * count);

    // A guest run that is abandoned, and one that ends.
    let guests = more_open_after(10, || {
        let (send, ticks) = std::sync::mpsc::channel::<GuestTick>();
        let main = async { Ok::<(), Error>(sleep_forever().await?) };
        let guest =
            terzetto::Builder::new().start_guest(main, move |tick| drop(send.send(tick)), |_end| ()).unwrap();
        while let Ok(tick) = ticks.recv_timeout(Duration::from_millis(5)) {
            tick.run();
        }
        drop(guest);
    });
    assert_eq!(guests, 0, "guests that were abandoned");

    // A thread that goes on after its run keeps nothing either, and rings nobody.
    let threads = within(Duration::from_secs(20), || {
        more_open_after(5, || {
            let (go, gone) = std::sync::mpsc::channel::<()>();
            terzetto::run(async {
                let job = terzetto::to_thread::options().abandon_on_cancel(true);
                let _left = move_on_after(
                    0.001,
                    job.run_sync(move || {
                        // Sent by nobody; it ends when the sender is dropped.
                        let _ended = gone.recv();
                    }),
                )
                .await?;
                Ok(())
            })
            .unwrap();
            drop(go);
        })
    });
    assert_eq!(threads, 0, "runs that have left a thread behind");
}
