//! QUICK: operations that succeed at once and go on, up to a budget for each step of a task.

use std::{
    cell::Cell,
    future::{Future, ready},
};
use terzetto::{
    Builder, CancelScope, Error, cancellable, channel, checkpoint,
    io::{ReceiveStream, SendStream, UnixStream},
    nursery, sleep,
    sync::{CapacityLimiter, Event, Lock, Semaphore, SlowReceiver, Watch, broadcast},
    testing::MockClock,
    time::RateLimiter,
};

/// How many ticks pass while `work` runs, with this budget.
fn ticks(budget: u32, work: impl Future<Output = Result<(), Error>>) -> usize {
    let ticks = Cell::new(0);
    let (count, done) = (&ticks, Cell::new(false));
    let done = &done;
    let main = nursery(async move |n| {
        n.start_soon(async move {
            while !done.get() {
                count.set(count.get() + 1);
                checkpoint().await?;
            }
            Ok(())
        });
        checkpoint().await?;
        count.set(0);
        let outcome = work.await;
        done.set(true);
        outcome
    });
    Builder::new().clock(MockClock::autojump()).quick_checkpoints(budget).run(main).unwrap();
    ticks.get()
}

/// The task that counts may come before or after the others of its batch.
fn is_about(ticks: usize, expected: usize) -> bool {
    ticks.abs_diff(expected) <= 1
}

async fn messages() -> Result<(), Error> {
    let (sender, receiver) = channel(100);
    for number in 0..100 {
        sender.send(number).await?;
    }
    for number in 0..100 {
        assert_eq!(receiver.receive().await?, number);
    }
    Ok(())
}

#[test]
fn quick_01_strict_is_the_default_and_each_message_is_a_turn() {
    assert!(is_about(ticks(0, messages()), 200));
}

#[test]
fn quick_02_a_budget_is_spent_before_a_task_gives_way() {
    // Ten at once, and the eleventh gives way.
    assert!(is_about(ticks(10, messages()), 200 / 11));
    assert!(is_about(ticks(1000, messages()), 0));
}

#[test]
fn quick_02_every_primitive_has_it() {
    let each = || async {
        let (lock, semaphore, limiter, event) =
            (Lock::new(), Semaphore::new(1), CapacityLimiter::new(1), Event::new());
        event.set();
        for _ in 0..10 {
            drop(lock.acquire().await?);
            drop(semaphore.acquire().await?);
            drop(limiter.acquire().await?);
            event.wait().await?;
            cancellable(ready(())).await?;
        }
        Ok(())
    };
    assert!(is_about(ticks(0, each()), 50));
    assert!(is_about(ticks(4, each()), 10));
}

#[test]
fn quick_02_broadcast_channels_watched_values_batches_and_rate_limits_have_it() {
    let each = || async {
        let (to_all, from_all) = broadcast(1, SlowReceiver::Wait);
        let (sender, receiver) = channel(2);
        let (level, rate) = (Watch::new(7), RateLimiter::new(10, 1.0));
        for _ in 0..10 {
            to_all.send(1).await?;
            from_all.receive().await?;
            level.wait_value(|&level| level == 7).await?;
            sender.send_many(vec![1, 2]).await?;
            assert_eq!(receiver.receive_many(2).await?, [1, 2]);
            rate.acquire().await?;
        }
        Ok(())
    };
    assert!(is_about(ticks(0, each()), 60));
    assert!(is_about(ticks(5, each()), 10));
}

#[test]
fn quick_03_a_checkpoint_and_a_sleep_always_give_way() {
    let work = async {
        for _ in 0..5 {
            checkpoint().await?;
            sleep(0.0).await?;
        }
        Ok(())
    };
    assert!(is_about(ticks(1000, work), 10));
}

#[test]
fn quick_04_an_operation_in_a_cancelled_scope_fails_all_the_same() {
    let work = async {
        let (sender, receiver) = channel(10);
        sender.send_nowait(1)?;
        let (lock, event) = (Lock::new(), Event::new());
        event.set();
        let scope = CancelScope::new();
        scope.cancel();
        let inside = scope.run(async {
            assert!(sender.send(2).await.is_err());
            assert!(receiver.receive().await.is_err());
            assert!(lock.acquire().await.is_err());
            assert!(event.wait().await.is_err());
            assert!(cancellable(ready(())).await.is_err());
            Ok(checkpoint().await?)
        });
        assert_eq!(inside.await?, None);
        assert_eq!(receiver.receive_nowait()?, 1, "nothing was sent or taken");
        Ok(())
    };
    ticks(1000, work);
}

#[test]
fn quick_05_tasks_take_turns_by_their_budgets() {
    let order = std::cell::RefCell::new(String::new());
    let task = async |name: char| {
        let lock = Lock::new();
        for _ in 0..30 {
            drop(lock.acquire().await?);
            order.borrow_mut().push(name);
        }
        Ok(())
    };
    let task = &task;
    let main = nursery(async |n| {
        n.start_soon(task('a'));
        n.start_soon(task('b'));
        Ok(())
    });
    Builder::new().clock(MockClock::autojump()).quick_checkpoints(2).run(main).unwrap();
    // Three in a step: the one that had to give way, and two more. A task may be the last of one batch and the first
    // of the next.
    let order = order.into_inner();
    let longest = order.as_bytes().chunk_by(|one, other| one == other).map(<[u8]>::len).max();
    assert!(longest <= Some(6), "{order}");
    assert_eq!(order.len(), 60);
}

#[test]
fn quick_06_sockets_have_it() {
    let work = || async {
        let (ours, theirs) = UnixStream::pair()?;
        for _ in 0..10 {
            ours.send_all(b"hello").await?;
            let mut room = [0; 5];
            assert_eq!(theirs.receive_some(&mut room).await?, 5);
        }
        Ok(())
    };
    assert!(ticks(0, work()) >= 19);
    assert!(ticks(1000, work()) <= 4, "the first receive does not know yet that the socket is readable");
}
