use terzetto::{Error, checkpoint, nursery};

// ANCHOR: shown
async fn count(name: &str) -> Result<(), Error> {
    for i in 1..=3 {
        println!("{i} {name}: counts {i}");
        checkpoint().await?;
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            n.start_soon(count("left"));
            n.start_soon(count("right"));
            Ok(())
        })
        .await
    })
}
// ANCHOR_END: shown
