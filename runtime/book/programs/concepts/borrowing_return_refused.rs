use terzetto::{Error, nursery};

fn greeting() -> impl Future<Output = Result<(), Error>> {
    let name = String::from("Ada");
    nursery(async |n| {
        n.start_soon(async {
            println!("hello {name}");
            Ok(())
        });
        Ok(())
    })
}

fn main() -> Result<(), Error> {
    terzetto::run(greeting())
}
