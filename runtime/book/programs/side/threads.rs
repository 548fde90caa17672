use terzetto::{Builder, Error, from_thread, testing::MockClock, to_thread};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        fn blocking(text: &'static str) -> Result<String, Error> {
            from_thread::run_sync(move || text.to_uppercase())
        }

        println!("{}", to_thread::run_sync(|| blocking("hello")).await??);
        Ok(())
    })
}
