use terzetto::{Builder, Error, nursery, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = nursery(async |n| {
            n.start_soon(async { Err(Error::msg("first")) });
            n.start_soon(async { Err(Error::msg("second")) });
            Ok(())
        });
        let error = outcome.await.expect_err("both fail");
        let mut texts: Vec<String> =
            error.group().into_iter().flat_map(|g| g.leaves()).map(Error::to_string).collect();
        texts.sort();
        println!("[{}]", texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", "));
        Ok(())
    })
}
