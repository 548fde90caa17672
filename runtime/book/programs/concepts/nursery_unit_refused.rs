use terzetto::{Error, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            n.start_soon(async {
                println!("hello");
            });
            Ok(())
        })
        .await
    })
}
