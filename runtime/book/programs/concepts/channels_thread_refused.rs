use terzetto::{Error, channel, to_thread};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let (sender, _receiver) = channel(1);
        to_thread::run_sync(move || sender.send_nowait(1)).await??;
        Ok(())
    })
}
