//! A block with `?` whose error type nobody says.
fn main() {
    let _run = terzetto::run(async {
        let part = async {
            terzetto::sleep(0.1).await?;
            Ok(1)
        };
        assert_eq!(part.await.unwrap(), 1);
        Ok(())
    });
}
