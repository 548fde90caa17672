use terzetto::{Error, sleep};

struct Connection;

impl Drop for Connection {
    fn drop(&mut self) {
        sleep(0.1).await; // say goodbye
    }
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let _connection = Connection;
        Ok(())
    })
}
