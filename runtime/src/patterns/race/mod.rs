//! Races: several tasks are asked for one value.
//!
//! | to do | use |
//! |---|---|
//! | take what the first one to end returns, value or error | [`first_to_end`] |
//! | take the first value; errors count only if all fail | [`first_to_succeed`] |
//! | try again beside an attempt that takes too long | [`hedge`] |
//!
//! When a race is decided, the others are cancelled, and the call returns when they have ended. So a loser can clean
//! up, and holds nothing any more when the winner's value is used.
//!
//! # At most one event
//!
//! A cancellation takes a blocked task out of what it waits for, so it takes nothing: no value, no lock, no connection.
//! But the loser may have been given something in the same tick as the winner, before the race was decided. It cannot
//! give that back any more, and ends with a value, too. Such values are not dropped: they are the
//! [`others`](Finish::others) of the [`Finish`].
//!
//! A contender that is one operation can do better: inside [`revocable`] it gives back what it was given, if it has
//! not seen it when the race is decided. Then at most one of the contenders consumes its event.
//!
//! ```
//! use terzetto::{channel, race::{first_to_end, revocable}};
//! terzetto::run(async {
//!     let (to_left, left) = channel(1);
//!     let (to_right, right) = channel(1);
//!     to_left.send("left").await?;
//!     to_right.send("right").await?;
//!     let finish = first_to_end((
//!         async { Ok(revocable(left.receive()).await??) },
//!         async { Ok(revocable(right.receive()).await??) },
//!     )).await?;
//!     assert_eq!((finish.value, finish.others.len()), ("left", 0));
//!     assert_eq!(right.receive().await?, "right");
//!     Ok(())
//! })?;
//! # Ok::<(), terzetto::Error>(())
//! ```

mod contenders;
mod first;
mod hedge;
mod revocable;

pub use contenders::Contenders;
pub use first::{Finish, NoContenders, first_to_end, first_to_succeed};
pub use hedge::hedge;
pub use revocable::revocable;
