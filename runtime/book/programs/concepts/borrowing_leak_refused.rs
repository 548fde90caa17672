use terzetto::{Error, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let mut kept = None;
        nursery(async |n| {
            kept = Some(n);
            Ok(())
        })
        .await?;
        kept.expect("it was kept").start_soon(async { Ok(()) });
        Ok(())
    })
}
