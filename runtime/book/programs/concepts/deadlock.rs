use terzetto::{
    Builder, Error, current_time, move_on_after, nursery, sleep, sync::Lock, task_tree, testing::MockClock,
};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

async fn take_both(who: &str, first: &Lock, second: &Lock) -> Result<(), Error> {
    let _first = first.acquire().await?;
    say(who, "has its first lock");
    sleep(1.0).await?;
    say(who, "wants its second lock");
    let _second = second.acquire().await?;
    say(who, "has both");
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (fork, knife) = (Lock::new(), Lock::new());
        let meal = nursery(async |n| {
            n.start_soon_named("ada", take_both("ada", &fork, &knife));
            n.start_soon_named("grace", take_both("grace", &knife, &fork));
            n.start_soon_named("watch", async {
                sleep(5.0).await?;
                say("watch", "this is the tree of tasks");
                println!("{}", task_tree());
                Ok(())
            });
            Ok(())
        });
        let outcome = move_on_after(10.0, meal).await?;
        say("main", &format!("goes on, with {outcome:?}"));
        Ok(())
    })
}
