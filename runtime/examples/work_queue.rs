//! A work queue: workers take jobs from a channel, and each job has a one-shot for its answer. A job that fails is an
//! answer, too, so that it ends neither its worker nor the others. When nobody can send jobs any more, the workers end.
//!
//! ```sh
//! cargo run -p terzetto --example work_queue
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use terzetto::{
    Error, Receiver, channel, nursery,
    sync::{OneshotSender, oneshot},
    to_thread,
};

struct Job {
    number: u64,
    answer: OneshotSender<Result<u64, String>>,
}

async fn worker(jobs: Receiver<Job>) -> Result<(), Error> {
    while let Some(Job { number, answer }) = jobs.next().await? {
        let compute = move || (1..=number).try_fold(1_u64, u64::checked_mul);
        let factorial = to_thread::run_sync(compute).await?;
        // Whoever has asked may have left meanwhile.
        let _ = answer.send(factorial.ok_or_else(|| format!("{number}! is too large")));
    }
    Ok(())
}

/// The whole program, for a run.
pub async fn program() -> Result<(), Error> {
    nursery(async |n| {
        let (queue, jobs) = channel(2);
        (0..3).for_each(|_| n.start_soon(worker(jobs.clone())));
        let mut answers = Vec::new();
        for number in [5, 10, 20, 30] {
            let (answer, answered) = oneshot();
            queue.send(Job { number, answer }).await?;
            answers.push((number, answered));
        }
        queue.close();
        for (number, answered) in answers {
            match answered.receive().await? {
                Ok(factorial) => println!("{number}! = {factorial}"),
                Err(failure) => println!("{failure}"),
            }
        }
        Ok(())
    })
    .await
}

fn main() -> Result<(), Error> {
    terzetto::run(program())
}
