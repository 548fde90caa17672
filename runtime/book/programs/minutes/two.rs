use terzetto::{Error, nursery, sleep};

async fn greet(name: &str, seconds: f64) -> Result<(), Error> {
    sleep(seconds).await?;
    println!("hello {name}");
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let names = [String::from("Ada"), String::from("Grace")];
        nursery(async |n| {
            n.start_soon(greet(&names[0], 0.2));
            n.start_soon(greet(&names[1], 0.1));
            println!("both are started");
            Ok(())
        })
        .await?;
        println!("both have ended");
        Ok(())
    })
}
