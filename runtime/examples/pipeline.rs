//! A pipeline: three stages, each a task, with a channel between each two. A stage that is slow makes those before it
//! wait, since the channels are bounded. When a stage ends, its channel ends, and so does the stage after it.
//!
//! ```sh
//! cargo run -p terzetto --example pipeline
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use terzetto::{Error, ReceiveError, Receiver, Sender, channel, nursery, to_thread};

async fn read(lines: Sender<String>) -> Result<(), Error> {
    for number in 1..=1000 {
        lines.send(format!("{number} and {}", number * number)).await?;
    }
    Ok(())
}

/// Takes the lines in batches, and has each batch parsed in a worker thread.
async fn parse(lines: Receiver<String>, sums: Sender<u64>) -> Result<(), Error> {
    loop {
        let batch = match lines.receive_many(100).await {
            Err(ReceiveError::EndOfChannel) => return Ok(()),
            batch => batch?,
        };
        let sum = |line: &String| line.split(" and ").map(str::parse::<u64>).sum::<Result<u64, _>>();
        let parsed =
            to_thread::run_sync(move || batch.iter().map(sum).collect::<Result<Vec<_>, _>>()).await?;
        sums.send_many(parsed?).await?;
    }
}

async fn add(sums: Receiver<u64>) -> Result<u64, Error> {
    let mut total = 0;
    while let Some(sum) = sums.next().await? {
        total += sum;
    }
    Ok(total)
}

/// The whole program, for a run.
pub async fn program() -> Result<(), Error> {
    nursery(async |n| {
        let ((lines, lines_to_parse), (sums, sums_to_add)) = (channel(10), channel(10));
        n.start_soon(read(lines));
        n.start_soon(parse(lines_to_parse, sums));
        println!("the total is {}", add(sums_to_add).await?);
        Ok(())
    })
    .await
}

fn main() -> Result<(), Error> {
    terzetto::run(program())
}
