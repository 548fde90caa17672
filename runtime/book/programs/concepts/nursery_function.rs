use terzetto::{Builder, Error, Nursery, nursery, sleep, testing::MockClock};

/// Starts a task for each name. The tasks go on when this function has returned.
async fn serve<'scope>(n: &'scope Nursery<'scope, '_>, names: &'scope [String]) -> Result<(), Error> {
    for name in names {
        n.start_soon(async move {
            sleep(2).await?;
            println!("hello {name}");
            Ok(())
        });
    }
    sleep(1).await?;
    println!("serve returns");
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let names = [String::from("Ada"), String::from("Grace")];
        nursery(async |n| serve(n, &names).await).await?;
        println!("the nursery has ended");
        Ok(())
    })
}
