use std::cell::Cell;
use terzetto::{
    Error, Receiver, channel,
    graceful::{finish, until_signalled},
    nursery, sleep, sleep_forever,
    supervise::Supervisor,
    time::Backoff,
};

/// Works on orders until all senders are gone and the queue is empty.
async fn work(orders: &Receiver<u32>, lives: &Cell<u32>) -> Result<(), Error> {
    lives.set(lives.get() + 1);
    while let Some(order) = orders.next().await? {
        if order == 2 && lives.get() == 1 {
            return Err(Error::msg(format!("order {order} cannot be read")));
        }
        sleep(0.05).await?;
        println!("order {order} is done");
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let (sender, orders) = channel(100);
        let lives = Cell::new(0);
        let service = nursery(async |n| {
            let worker = Supervisor::one_for_one()
                .restarts(3, 60)
                .backoff(Backoff::constant(0.01))
                .task("worker", async || work(&orders, &lives).await);
            // The shutdown does not reach the worker: it goes on until the queue is empty.
            n.start_soon(finish(worker.run()));
            // The shutdown does reach the body, which takes orders. It ends, and its sender is dropped.
            let sender = sender;
            for order in 1..=5 {
                sender.send(order).await?;
            }
            // So that the example ends: somebody presses Ctrl-C.
            signal_hook::low_level::raise(signal_hook::consts::SIGINT)?;
            Ok(sleep_forever().await?)
        });
        let outcome = until_signalled(10, service).await?;
        println!("ended, with {outcome:?}");
        Ok(())
    })
}
