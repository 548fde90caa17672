use terzetto::{Builder, Deadlock, Error, OnDeadlock, nursery, sleep, sync::Lock};

async fn take_both(first: &Lock, second: &Lock) -> Result<(), Error> {
    let _first = first.acquire().await?;
    sleep(0.1).await?;
    let _second = second.acquire().await?;
    Ok(())
}

fn main() -> Result<(), Error> {
    let outcome = Builder::new().on_deadlock(OnDeadlock::Fail).run(async {
        let (fork, knife) = (Lock::new(), Lock::new());
        nursery(async |n| {
            n.start_soon_named("ada", take_both(&fork, &knife));
            n.start_soon_named("grace", take_both(&knife, &fork));
            Ok(())
        })
        .await
    });
    let error = outcome.expect_err("nobody can eat");
    println!("the run failed by a deadlock: {}", error.find::<Deadlock>().is_some());
    Ok(())
}
