use std::{cell::Cell, future::poll_fn, mem::forget, panic::AssertUnwindSafe, pin::Pin, task::Poll};
use terzetto::{Error, checkpoint, nursery, sleep_forever};

/// Says when a borrow of the data has ended.
struct Borrower<'a>(&'a Cell<u32>);

impl Drop for Borrower<'_> {
    fn drop(&mut self) {
        println!("  a child is dropped; the data it borrows: {}", self.0.get());
    }
}

async fn block(data: &Cell<u32>) -> Result<(), Error> {
    nursery(async |n| {
        n.start_soon(async {
            let borrower = Borrower(data);
            loop {
                borrower.0.set(borrower.0.get() + 1);
                checkpoint().await?;
            }
        });
        Ok(sleep_forever().await?)
    })
    .await
}

async fn poll_three_times(future: &mut Pin<Box<impl Future>>) -> Result<(), Error> {
    for _ in 0..3 {
        poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        checkpoint().await?;
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        println!("1. the block is forgotten");
        let data = Box::new(Cell::new(100));
        let mut forgotten = Box::pin(block(&data));
        poll_three_times(&mut forgotten).await?;
        forget(forgotten);
        drop(data); // the child's borrow dangles, and nobody will ever use it
        for _ in 0..10 {
            checkpoint().await?;
        }
        println!("  ten ticks later: nothing has happened");

        println!("2. the block is dropped half-way");
        let data = Cell::new(200);
        let mut dropped = Box::pin(block(&data));
        poll_three_times(&mut dropped).await?;
        drop(dropped);
        println!("  after the drop: {}", data.get());

        println!("3. a child panics while others borrow");
        let data = Cell::new(300);
        let outcome = AssertUnwindSafe(nursery(async |n| {
            n.start_soon(block(&data));
            n.start_soon(async {
                checkpoint().await?;
                panic!("a defect")
            });
            Ok(())
        }));
        let mut outcome = Box::pin(outcome.0);
        let caught = poll_fn(|cx| {
            let polled = std::panic::catch_unwind(AssertUnwindSafe(|| outcome.as_mut().poll(cx)));
            match polled {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(_)) => Poll::Ready("it has ended"),
                Err(_) => Poll::Ready("the panic has come out, after all children had ended"),
            }
        });
        println!("  {}", caught.await);
        Ok(())
    })
}
