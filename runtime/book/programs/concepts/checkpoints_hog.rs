use terzetto::{Error, checkpoint, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            n.start_soon(async {
                // The mistake: a long loop without a checkpoint.
                let sum: u64 = (0..10_000_000).sum();
                println!("the sum is {sum}");
                Ok(())
            });
            n.start_soon(async {
                println!("the other task has its first turn only now");
                Ok(checkpoint().await?)
            });
            Ok(())
        })
        .await
    })
}
