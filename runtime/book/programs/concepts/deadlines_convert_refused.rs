use terzetto::{Error, move_on_after, nursery, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        move_on_after(1.0, sleep(60)).await?;
        nursery(async |n| {
            n.start_soon(sleep(1));
            Ok(())
        })
        .await
    })
}
