use terzetto::{Error, channel};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let (sender, receiver) = channel(1);
        drop(receiver);
        // The mistake: to send what nobody can receive any more, and to take the value for lost.
        let error = sender.send(String::from("a letter")).await.expect_err("nobody receives");
        println!("{error}");
        let (letter, why) = error.into_parts();
        println!("it came back: {letter:?}, since {why}");
        Ok(())
    })
}
