use std::io;
use terzetto::{Error, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let outcome = nursery(async |n| {
            n.start_soon(async { Err(io::Error::other("no such disk").into()) });
            Ok(())
        })
        .await;
        let error = outcome.expect_err("the task has failed");
        // The mistake: the error is a group, not the error of the task.
        println!("downcast_ref: {:?}", error.downcast_ref::<io::Error>().map(ToString::to_string));
        // `find` looks into groups.
        println!("find:         {:?}", error.find::<io::Error>().map(ToString::to_string));
        Ok(())
    })
}
