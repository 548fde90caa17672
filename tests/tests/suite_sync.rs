//! What trio asserts of everything that can serve as a lock, each in turn: `test_generic_lock_…`.

use std::{any::Any, cell::Cell, cell::RefCell, rc::Rc};
use terzetto::{
    Error, Receiver, Sender, channel,
    lowlevel::cancel_shielded_checkpoint,
    nursery,
    sync::{CapacityLimiter, Lock, Semaphore},
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::run_mock;

/// What lets one in at a time.
enum Exclusive {
    Lock(Lock),
    Semaphore(Semaphore),
    Limiter(CapacityLimiter),
    /// A channel of one value, taken and put back.
    Channel(Sender<()>, Receiver<()>),
    /// A channel with room for one, filled and emptied.
    Room(Sender<()>, Receiver<()>),
}

/// Who is in; dropped, who was.
type Held = Box<dyn Any>;

/// Does something when it is dropped.
struct Leaving<F: FnMut()>(F);

impl<F: FnMut()> Drop for Leaving<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Exclusive {
    fn all() -> Vec<Rc<Exclusive>> {
        let (full, fills) = channel(1);
        full.send_nowait(()).unwrap();
        let (room, empties) = channel(1);
        [
            Exclusive::Lock(Lock::new()),
            Exclusive::Semaphore(Semaphore::new(1)),
            Exclusive::Limiter(CapacityLimiter::new(1)),
            Exclusive::Channel(full, fills),
            Exclusive::Room(room, empties),
        ]
        .map(Rc::new)
        .into()
    }

    fn put_back(sender: &Sender<()>) -> Held {
        let sender = sender.clone();
        Box::new(Leaving(move || sender.send_nowait(()).unwrap()))
    }

    fn take_out(receiver: &Receiver<()>) -> Held {
        let receiver = receiver.clone();
        Box::new(Leaving(move || receiver.receive_nowait().unwrap()))
    }

    async fn acquire(&self) -> Result<Held, Error> {
        Ok(match self {
            Exclusive::Lock(lock) => Box::new(lock.acquire().await?),
            Exclusive::Semaphore(semaphore) => Box::new(semaphore.acquire().await?),
            Exclusive::Limiter(limiter) => Box::new(limiter.acquire().await?),
            Exclusive::Channel(sender, receiver) => {
                receiver.receive().await?;
                Exclusive::put_back(sender)
            }
            Exclusive::Room(sender, receiver) => {
                sender.send(()).await?;
                Exclusive::take_out(receiver)
            }
        })
    }

    fn acquire_nowait(&self) -> Option<Held> {
        Some(match self {
            Exclusive::Lock(lock) => Box::new(lock.acquire_nowait().ok()?),
            Exclusive::Semaphore(semaphore) => Box::new(semaphore.acquire_nowait().ok()?),
            Exclusive::Limiter(limiter) => Box::new(limiter.acquire_nowait().ok()?),
            Exclusive::Channel(sender, receiver) => {
                receiver.receive_nowait().ok()?;
                Exclusive::put_back(sender)
            }
            Exclusive::Room(sender, receiver) => {
                sender.send_nowait(()).ok()?;
                Exclusive::take_out(receiver)
            }
        })
    }
}

#[test]
fn trio_sync_generic_lock_exclusion() {
    const LOOPS: u32 = 10;
    run_mock(async {
        for lock in Exclusive::all() {
            let (inside, acquires) = (&Cell::new(false), &Cell::new(0));
            nursery(async |n| {
                for _worker in 0..5 {
                    let lock = lock.clone();
                    n.start_soon(async move {
                        for _ in 0..LOOPS {
                            let held = lock.acquire().await?;
                            acquires.set(acquires.get() + 1);
                            assert!(!inside.replace(true));
                            for _ in 0..3 {
                                cancel_shielded_checkpoint().await;
                            }
                            assert!(inside.replace(false));
                            drop(held);
                        }
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
            assert_eq!(acquires.get(), 5 * LOOPS);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_sync_generic_lock_fifo_fairness() {
    run_mock(async {
        for lock in Exclusive::all() {
            let (first, record) = (&Cell::new(true), &RefCell::new(Vec::new()));
            nursery(async |n| {
                // The first holds it until all the others wait.
                for name in 0..5 {
                    let lock = lock.clone();
                    n.start_soon(async move {
                        let _held = lock.acquire().await?;
                        record.borrow_mut().push(name);
                        if first.replace(false) {
                            wait_all_tasks_blocked(0.0).await?;
                        }
                        Ok(())
                    });
                    cancel_shielded_checkpoint().await;
                }
                Ok(())
            })
            .await?;
            assert_eq!(*record.borrow(), [0, 1, 2, 3, 4]);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_sync_generic_lock_acquire_nowait_blocks_acquire() {
    run_mock(async {
        for lock in Exclusive::all() {
            let record = &RefCell::new(Vec::new());
            nursery(async |n| {
                let held = lock.acquire_nowait().unwrap();
                assert!(lock.acquire_nowait().is_none());
                let lock = lock.clone();
                n.start_soon(async move {
                    record.borrow_mut().push("started");
                    let _held = lock.acquire().await?;
                    record.borrow_mut().push("has it");
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                assert_eq!(*record.borrow(), ["started"]);
                drop(held);
                Ok(())
            })
            .await?;
            assert_eq!(*record.borrow(), ["started", "has it"]);
        }
        Ok(())
    })
    .unwrap();
}
