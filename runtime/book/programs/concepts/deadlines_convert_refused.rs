use terzetto::{Error, move_on_after, nursery, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            n.start_soon(sleep(1));
            Ok(())
        })
        .await?;
        let _ = move_on_after(1.0, sleep(60));
        Ok(())
    })
}
