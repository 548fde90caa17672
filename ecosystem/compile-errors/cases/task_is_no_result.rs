//! A task returns nothing, instead of a `Result`.
fn main() {
    let _run = terzetto::run(async {
        terzetto::nursery(async |n| {
            n.start_soon(async {
                let _slept = terzetto::sleep(0.1).await;
            });
            Ok(())
        })
        .await
    });
}
