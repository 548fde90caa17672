use terzetto::{Builder, CancelScope, Error, checkpoint, nursery};

/// Whether a number is prime. Others run meanwhile, and it can be cancelled.
async fn is_prime(number: u64) -> Result<bool, Error> {
    let mut divisor = 2;
    while divisor * divisor <= number {
        if number.is_multiple_of(divisor) {
            return Ok(false);
        }
        divisor += 1;
        if divisor.is_multiple_of(1024) {
            checkpoint().await?;
        }
    }
    Ok(true)
}

fn main() -> Result<(), Error> {
    Builder::new().run(async {
        let scope = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                println!("2147483647: {}", is_prime(2_147_483_647).await?);
                scope.cancel();
                Ok(())
            });
            let endless = scope.run(async {
                loop {
                    is_prime(999_999_999_989).await?;
                }
                #[allow(unreachable_code)]
                Ok(())
            });
            println!("the endless search: {:?}", endless.await?);
            Ok(())
        })
        .await
    })
}
