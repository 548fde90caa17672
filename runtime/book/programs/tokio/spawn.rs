use terzetto::{Error, nursery, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let names = [String::from("Ada"), String::from("Grace")];
        let names = &names;
        let outcome = nursery(async |n| {
            for i in 0..2 {
                n.start_soon_named(format!("greeter {i}"), async move {
                    sleep(0.01 * (i + 1) as f64).await?;
                    if i == 1 {
                        return Err(Error::msg(format!("no reply from {}", names[i])));
                    }
                    println!("hello {}", names[i]);
                    Ok(())
                });
            }
            Ok(())
        })
        .await;
        if let Err(error) = outcome {
            println!("failed: {error}");
        }
        Ok(())
    })
}
