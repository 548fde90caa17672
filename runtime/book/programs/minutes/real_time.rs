use terzetto::{Error, current_time, sleep};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let begin = current_time();
        sleep(1).await?;
        println!("{:.0}: a second has passed", current_time() - begin);
        Ok(())
    })
}
