//! What tasks want of threads and of the system.

use super::{Wait, soon, two};
use std::cell::Cell;
use terzetto::{
    checkpoint,
    io::{Listener, StreamError, TcpListener, TcpStream, notify_closing, wait_readable, wait_writable},
    process::{Command, open_process},
    sync::CapacityLimiter,
    to_thread,
};
use terzetto_tests::begin;

#[test]
fn thread_05_a_dropped_winner_passes_its_turn_in_a_thread_on() {
    terzetto::run(async {
        let limiter = CapacityLimiter::new(0);
        let ran = Cell::new(0);
        let [first, second] = two(|| {
            let number = ran.replace(ran.get() + 1);
            to_thread::options().limiter(&limiter).run_sync(move || number)
        })
        .await;
        limiter.set_total_tokens(1);
        drop(first);
        assert_eq!(soon(second).await??, 1);
        assert_eq!((limiter.borrowed_tokens(), to_thread::active_thread_count()), (0, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_01_a_dropped_winner_passes_a_readable_descriptor_on() {
    terzetto::run(async {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut first: Wait<'_, _> = Box::pin(wait_readable(&ours));
        begin(&mut first).await;
        assert_eq!(terzetto::lowlevel::current_statistics().tasks_waiting_read, 1);
        std::io::Write::write_all(&mut theirs, b"x")?;
        // The system's word has come, and the first one is woken but not polled.
        while terzetto::lowlevel::current_statistics().tasks_waiting_read > 0 {
            terzetto::sleep(0.001).await?;
        }
        let mut second: Wait<'_, _> = Box::pin(wait_readable(&ours));
        begin(&mut second).await;
        drop(first);
        soon(second).await??;
        assert_eq!(terzetto::lowlevel::current_statistics().tasks_waiting_read, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_03_a_dropped_winner_passes_no_news_of_closing_on() {
    terzetto::run(async {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        while std::io::Write::write(&mut &ours, &[0; 4096]).is_ok() {}
        let mut first: Wait<'_, _> = Box::pin(wait_readable(&ours));
        begin(&mut first).await;
        // It holds the descriptor's place while the first one goes.
        let mut writer: Wait<'_, _> = Box::pin(wait_writable(&ours));
        begin(&mut writer).await;
        notify_closing(&ours);
        drop(first);
        let mut second: Wait<'_, _> = Box::pin(wait_readable(&ours));
        begin(&mut second).await;
        std::io::Write::write_all(&mut theirs, b"x")?;
        soon(second).await??;
        assert!(matches!(soon(writer).await?, Err(StreamError::Closed)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_a_dropped_winner_passes_the_connection_on() {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let mut first: Wait<'_, _> = Box::pin(listener.accept());
        begin(&mut first).await;
        checkpoint().await?;
        begin(&mut first).await;
        assert_eq!(terzetto::lowlevel::current_statistics().tasks_waiting_read, 1);
        let _client = TcpStream::connect(listener.local_addr()?).await?;
        while terzetto::lowlevel::current_statistics().tasks_waiting_read > 0 {
            terzetto::sleep(0.001).await?;
        }
        drop(first);
        let second: Wait<'_, _> = Box::pin(listener.accept());
        drop(soon(second).await??);
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_03_a_dropped_winner_passes_the_end_of_the_process_on() {
    terzetto::run(async {
        let process = open_process(Command::new("sleep").arg("0.05")).await?;
        let [mut first, second] = two(|| process.wait()).await;
        checkpoint().await?;
        begin(&mut first).await;
        assert_eq!(
            terzetto::lowlevel::current_statistics().tasks_waiting_read,
            1,
            "the other waits its turn"
        );
        while terzetto::lowlevel::current_statistics().tasks_waiting_read > 0 {
            terzetto::sleep(0.001).await?;
        }
        drop(first);
        assert!(soon(second).await??.success());
        Ok(())
    })
    .unwrap();
}
