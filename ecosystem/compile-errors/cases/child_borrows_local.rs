//! A child borrows a variable of the nursery's body.
fn main() {
    let _run = terzetto::run(async {
        terzetto::nursery(async |n| {
            let words = vec!["one", "two"];
            n.start_soon(async {
                assert_eq!(words.len(), 2);
                Ok(())
            });
            Ok(())
        })
        .await
    });
}
