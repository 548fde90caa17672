use std::future::ready;
use terzetto::{CancelScope, Error};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let scope = CancelScope::new();
        scope.cancel();
        let outcome = scope.run(async {
            // The mistake: `await` alone is no checkpoint. What is ready does not yield, and looks at no scope.
            for _ in 0..1000 {
                ready(()).await;
            }
            Ok("it ran to its end in a cancelled scope")
        });
        println!("{:?}", outcome.await?);
        Ok(())
    })
}
