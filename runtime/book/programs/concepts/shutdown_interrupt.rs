use terzetto::{Error, nursery, sleep};

async fn serve() -> Result<(), Error> {
    nursery(async |n| {
        n.start_soon(async {
            // So that the example ends: somebody presses Ctrl-C.
            signal_hook::low_level::raise(signal_hook::consts::SIGINT)?;
            Ok(())
        });
        sleep(60).await?;
        Ok(())
    })
    .await
}

fn main() -> Result<(), Error> {
    match terzetto::run(serve()) {
        Err(error) if error.is_interrupted() => {
            println!("Ctrl-C has ended the program; is_cancelled: {}", error.is_cancelled());
            Ok(()) // a program for the shell calls std::process::exit(130) here
        }
        outcome => outcome,
    }
}
