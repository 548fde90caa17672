use terzetto::{Error, Nursery, nursery, sleep};

async fn serve<'a>(n: &'a Nursery<'a, 'a>) -> Result<(), Error> {
    n.start_soon(async { Ok(sleep(0.1).await?) });
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async { nursery(async |n| serve(n).await).await })
}
