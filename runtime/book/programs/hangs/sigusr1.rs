use terzetto::{
    Builder, Error, nursery,
    signal::{Signal, open_signal_receiver},
    sleep,
    sync::Lock,
};

async fn copy(name: &str, first: &Lock, second: &Lock) -> Result<(), Error> {
    let _first = first.acquire().await?;
    sleep(0.01).await?;
    let _second = second.acquire().await?;
    println!("{name} has copied");
    Ok(())
}

fn main() -> Result<(), Error> {
    // So that the example ends: here somebody writes `kill -USR1 PID`, and later `kill PID`.
    std::thread::spawn(|| {
        for signal in [signal_hook::consts::SIGUSR1, signal_hook::consts::SIGTERM] {
            std::thread::sleep(std::time::Duration::from_millis(500));
            signal_hook::low_level::raise(signal).expect("it is a signal");
        }
    });
    Builder::new().dump_on_sigusr1(true).run(async {
        let (ours, theirs) = (Lock::new(), Lock::new());
        let signals = open_signal_receiver(&[Signal::TERM])?;
        nursery(async |n| {
            n.start_soon_named("upload", copy("upload", &ours, &theirs));
            n.start_soon_named("download", copy("download", &theirs, &ours));
            signals.receive().await?;
            println!("ended by SIGTERM");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
