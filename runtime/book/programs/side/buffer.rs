use terzetto::{Builder, Error, channel, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(2);
        for i in 0..3 {
            match sender.send_nowait(i) {
                Ok(()) => println!("sent {i}"),
                Err(_) => println!("full at {i}"),
            }
        }
        println!("{} {}", receiver.receive_nowait()?, receiver.receive_nowait()?);
        Ok(())
    })
}
