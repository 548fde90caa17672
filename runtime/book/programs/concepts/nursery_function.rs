use terzetto::{Error, Nursery, nursery, sleep};

/// Starts a task for each name. The tasks go on when this function has returned.
async fn serve<'scope>(n: &'scope Nursery<'scope, '_>, names: &'scope [String]) -> Result<(), Error> {
    for name in names {
        n.start_soon(async move {
            sleep(0.1).await?;
            println!("hello {name}");
            Ok(())
        });
    }
    sleep(0.05).await?;
    println!("serve returns");
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let names = [String::from("Ada"), String::from("Grace")];
        nursery(async |n| serve(n, &names).await).await?;
        println!("the nursery has ended");
        Ok(())
    })
}
