use terzetto::{Error, to_thread};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let text = String::from("a long text");
        let length = to_thread::run_sync(|| text.len()).await?;
        println!("{text}: {length}");
        Ok(())
    })
}
