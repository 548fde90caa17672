//! What trio's own tests of `CapacityLimiter` assert, where `sync.rs` does not.

use terzetto::{
    Error, current_task, nursery,
    sync::{AcquireError, Borrower, CapacityLimiter, NotHeld},
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::run_mock;

/// The numbers on whose behalf tokens are borrowed, in order.
fn numbers(limiter: &CapacityLimiter) -> Vec<u32> {
    let mut all: Vec<u32> =
        limiter.borrowers().iter().filter_map(|borrower| borrower.key().copied()).collect();
    all.sort_unstable();
    all
}

fn number(number: u32) -> Borrower {
    Borrower::new(number)
}

async fn keep(limiter: &CapacityLimiter, of: u32) -> Result<(), Error> {
    limiter.acquire_on_behalf_of(number(of)).await?.forget();
    Ok(())
}

#[test]
fn trio_sync_capacity_limiter() {
    run_mock(async {
        assert_eq!(CapacityLimiter::new(0).total_tokens(), 0);
        let c = CapacityLimiter::new(2);
        assert_eq!((c.total_tokens(), c.borrowed_tokens(), c.available_tokens()), (2, 0, 2));
        assert_eq!(c.release(), Err(NotHeld::Token));
        c.acquire_nowait()?.forget();
        assert_eq!((c.borrowed_tokens(), c.available_tokens(), c.tasks_waiting()), (1, 1, 0));
        assert_eq!(c.borrowers()[0].key(), Some(&current_task()));
        assert!(matches!(c.acquire_nowait(), Err(AcquireError::AlreadyBorrowed)));
        assert!(matches!(c.acquire().await, Err(AcquireError::AlreadyBorrowed)));
        assert_checkpoints(c.acquire_on_behalf_of(Borrower::new("someone"))).await?.forget();
        assert_eq!(c.borrowed_tokens(), 2);
        let third = c.acquire_on_behalf_of_nowait(Borrower::new("third party"));
        assert!(matches!(third, Err(AcquireError::WouldBlock)));
        c.release_on_behalf_of(&Borrower::new(current_task()))?;
        assert_eq!(c.borrowers(), [Borrower::new("someone")]);
        c.release_on_behalf_of(&Borrower::new("someone"))?;
        assert_eq!(c.borrowed_tokens(), 0);
        // Fairness: a token that comes back is the next waiter's at once.
        nursery(async |n| {
            keep(&c, 1).await?;
            keep(&c, 2).await?;
            n.start_soon(keep(&c, 3));
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!((c.borrowed_tokens(), c.tasks_waiting()), (2, 1));
            c.release_on_behalf_of(&number(2))?;
            assert_eq!(c.borrowed_tokens(), 2);
            assert!(matches!(c.acquire_nowait(), Err(AcquireError::WouldBlock)));
            Ok(())
        })
        .await?;
        assert_eq!(numbers(&c), [1, 3]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_sync_capacity_limiter_inf() {
    run_mock(async {
        let c = CapacityLimiter::new(CapacityLimiter::UNLIMITED);
        assert_eq!((c.total_tokens(), c.borrowed_tokens()), (CapacityLimiter::UNLIMITED, 0));
        assert_eq!(c.available_tokens(), isize::MAX);
        assert_eq!(c.release(), Err(NotHeld::Token));
        c.acquire_nowait()?.forget();
        assert_eq!((c.borrowed_tokens(), c.available_tokens()), (1, isize::MAX));
        // As many as can be told, but not all.
        c.set_total_tokens(isize::MAX as usize);
        assert_eq!(c.available_tokens(), isize::MAX - 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_sync_capacity_limiter_change_total_tokens() {
    run_mock(async {
        let c = CapacityLimiter::new(2);
        nursery(async |n| {
            for i in 0..5 {
                n.start_soon(keep(&c, i));
                wait_all_tasks_blocked(0.0).await?;
            }
            assert_eq!((numbers(&c), c.tasks_waiting()), (vec![0, 1], 3));
            c.set_total_tokens(4);
            assert_eq!((numbers(&c), c.tasks_waiting()), (vec![0, 1, 2, 3], 1));
            c.set_total_tokens(1);
            assert_eq!((c.borrowed_tokens(), c.total_tokens(), c.available_tokens()), (4, 1, -3));
            for i in 0..3 {
                c.release_on_behalf_of(&number(i))?;
            }
            assert_eq!((numbers(&c), c.tasks_waiting(), c.available_tokens()), (vec![3], 1, 0));
            c.release_on_behalf_of(&number(3))?;
            assert_eq!((numbers(&c), c.tasks_waiting()), (vec![4], 0));
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_sync_capacity_limiter_zero_limit_tokens() {
    run_mock(async {
        let c = CapacityLimiter::new(5);
        nursery(async |n| {
            c.set_total_tokens(0);
            for i in 0..5 {
                n.start_soon(keep(&c, i));
                wait_all_tasks_blocked(0.0).await?;
            }
            assert_eq!((numbers(&c), c.tasks_waiting()), (vec![], 5));
            c.set_total_tokens(5);
            assert_eq!(numbers(&c), [0, 1, 2, 3, 4]);
            n.start_soon(keep(&c, 5));
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(c.tasks_waiting(), 1);
            for i in 0..6 {
                c.release_on_behalf_of(&number(i))?;
            }
            c.set_total_tokens(0);
            assert!(matches!(c.acquire_nowait(), Err(AcquireError::WouldBlock)));
            n.start_soon(keep(&c, 6));
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!((numbers(&c), c.tasks_waiting()), (vec![], 1));
            c.set_total_tokens(1);
            assert_eq!((numbers(&c), c.tasks_waiting()), (vec![6], 0));
            n.start_soon(keep(&c, 7));
            wait_all_tasks_blocked(0.0).await?;
            c.set_total_tokens(0);
            c.release_on_behalf_of(&number(6))?;
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!((numbers(&c), c.tasks_waiting(), c.available_tokens()), (vec![], 1, 0));
            c.set_total_tokens(1);
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!((numbers(&c), c.tasks_waiting()), (vec![7], 0));
            Ok(())
        })
        .await
    })
    .unwrap();
}
