use terzetto::{CancelScope, Error, checkpoint};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let scope = CancelScope::new();
        for _ in 0..2 {
            scope.run(async { Ok(checkpoint().await?) }).await?;
        }
        Ok(())
    })
}
