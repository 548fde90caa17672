use std::io::pipe;
use terzetto::{
    Error, nursery,
    process::{Command, run_process},
};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        // printf | sort | head: three programs, two pipes. If one fails, the others are ended.
        let (sorted_in, printed) = pipe()?;
        let (heads_in, sorted) = pipe()?;
        let first = nursery(async |n| {
            n.start_soon(async {
                run_process(Command::new("printf").arg("pear\\napple\\nfig\\n").stdout(printed)).await?;
                Ok(())
            });
            n.start_soon(async {
                run_process(Command::new("sort").stdin(sorted_in).stdout(sorted)).await?;
                Ok(())
            });
            let head = Command::new("head").args(["-n", "1"]).stdin(heads_in).capture_stdout();
            Ok(run_process(head).await?.stdout)
        });
        print!("{}", String::from_utf8_lossy(&first.await?));
        Ok(())
    })
}
