use terzetto::{Builder, Error, nursery, sleep, testing::MockClock};

/// A line for each failure: which task, and what.
fn report(error: &Error) -> Vec<String> {
    let Some(group) = error.group() else { return vec![error.to_string()] };
    let mut lines = Vec::new();
    for (i, error) in group.errors().iter().enumerate() {
        let task = group.origin(i).map_or("the body", |origin| origin.name());
        lines.extend(report(error).into_iter().map(|line| format!("{task}: {line}")));
    }
    lines
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = nursery(async |n| {
            n.start_soon_named("ada", async { Err(Error::msg("no paper")) });
            n.start_soon_named("grace", async {
                nursery(async |inner| {
                    inner.start_soon_named("helper", async { Err(Error::msg("a moth in the relay")) });
                    Ok(())
                })
                .await
            });
            n.start_soon(async { Ok(sleep(60.0).await?) });
            Ok(())
        });
        if let Err(error) = outcome.await {
            println!("{}", report(&error).join("\n"));
        }
        Ok(())
    })
}
