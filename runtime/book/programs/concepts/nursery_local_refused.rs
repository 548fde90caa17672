use terzetto::{Error, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            let name = String::from("Ada");
            n.start_soon(async {
                println!("hello {name}");
                Ok(())
            });
            Ok(())
        })
        .await
    })
}
