use terzetto::{Builder, CancelScope, Error, current_effective_deadline, move_on_after, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        move_on_after(9, async {
            move_on_after(5, async {
                println!("{}", current_effective_deadline());
                let shield = CancelScope::new().shielded(true);
                let inside = shield.run(async {
                    println!("{}", current_effective_deadline());
                    Ok(())
                });
                inside.await
            })
            .await
        })
        .await?;
        Ok(())
    })
}
