use terzetto::{Error, nursery, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let names = [String::from("Ada"), String::from("Grace")];
        let outcome = nursery(async |n| {
            for (i, name) in names.iter().enumerate() {
                n.start_soon_named(format!("greeter {i}"), async move {
                    sleep(0.01 * (i + 1) as f64).await?;
                    if i == 1 {
                        return Err(Error::msg(format!("no reply from {name}")));
                    }
                    println!("hello {name}");
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
