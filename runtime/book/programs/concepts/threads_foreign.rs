use std::thread;
use terzetto::{Error, from_thread, lowlevel::Token, to_thread};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        // The mistake: this thread belongs to no run.
        let outcome = thread::spawn(|| from_thread::run_sync(|| ())).join().expect("it does not panic");
        println!("{}", outcome.expect_err("it cannot"));
        // A token makes it possible. The loop must go on meanwhile, so a worker waits for the thread.
        let token = Token::current();
        let call = move || thread::spawn(move || token.run_sync(|| "called on the loop")).join();
        println!("{}", to_thread::run_sync(call).await?.expect("it does not panic")?);
        Ok(())
    })
}
