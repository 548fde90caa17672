//! A child borrows the loop's variable.
fn main() {
    let _run = terzetto::run(async {
        terzetto::nursery(async |n| {
            for number in 0..3 {
                n.start_soon(async {
                    assert!(number < 3);
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    });
}
