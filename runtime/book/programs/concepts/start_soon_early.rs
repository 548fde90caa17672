use std::cell::Cell;
use terzetto::{Error, checkpoint, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let port = Cell::new(None);
        nursery(async |n| {
            n.start_soon(async {
                checkpoint().await?; // it opens its socket
                port.set(Some(8080));
                Ok(())
            });
            // The mistake: `start_soon` does not wait.
            println!("the port is {:?}", port.get());
            Ok(())
        })
        .await
    })
}
