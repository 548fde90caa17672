//! The nursery's handle leaves the block.
fn main() {
    let _run = terzetto::run(async {
        let mut kept = None;
        terzetto::nursery(async |n| {
            kept = Some(n);
            Ok(())
        })
        .await?;
        kept.unwrap().start_soon(async { Ok(()) });
        Ok(())
    });
}
