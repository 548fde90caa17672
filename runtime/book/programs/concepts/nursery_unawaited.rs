use terzetto::{Error, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let forgotten = nursery(async |n| {
            n.start_soon(async {
                println!("hello");
                Ok(())
            });
            Ok(())
        });
        drop(forgotten);
        println!("main ends, and nobody has said hello");
        Ok(())
    })
}
