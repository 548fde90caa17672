use std::cell::Cell;
use terzetto::{
    Error, nursery,
    signal::{Signal, open_signal_receiver},
    sleep_forever,
};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        // SIGHUP reads the configuration again; SIGTERM ends the program.
        let signals = open_signal_receiver(&[Signal::HUP, Signal::TERM])?;
        let version = Cell::new(1);
        nursery(async |n| {
            n.start_soon(async {
                println!("serving with configuration {}", version.get());
                Ok(sleep_forever().await?)
            });
            // So that the example ends: somebody sends the signals.
            n.start_soon(async {
                signal_hook::low_level::raise(signal_hook::consts::SIGHUP)?;
                terzetto::sleep(0.05).await?;
                signal_hook::low_level::raise(signal_hook::consts::SIGTERM)?;
                Ok(())
            });
            while signals.receive().await? == Signal::HUP {
                version.set(version.get() + 1);
                println!("now configuration {}", version.get());
            }
            println!("ending");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
