use terzetto::{Error, nursery, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(|n| async move {
            n.start_soon(async { Ok(sleep(1).await?) });
            Ok(())
        })
        .await
    })
}
