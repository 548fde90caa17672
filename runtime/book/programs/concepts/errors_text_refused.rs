use terzetto::Error;

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let age: Result<u32, String> = Err(String::from("no age was given"));
        println!("{}", age?);
        Ok(())
    })
}
