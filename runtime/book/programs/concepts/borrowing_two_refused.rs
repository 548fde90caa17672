use terzetto::{Error, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let mut total = 0;
        nursery(async |n| {
            for i in 1..=2 {
                n.start_soon(async {
                    total += i;
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        println!("{total}");
        Ok(())
    })
}
