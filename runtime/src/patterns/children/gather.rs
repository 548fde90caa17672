//! Several tasks, all their values.

use crate::{BodyCancelled, Error, nursery, patterns::name_of};
use std::{
    cell::{Cell, RefCell},
    panic::Location,
};

/// Tasks that can be [gathered](gather()): futures in a tuple, an array or a `Vec`.
pub trait Gather: sealed::Sealed {
    /// The values: a tuple, an array or a `Vec` in the order of the tasks.
    type Output;

    #[doc(hidden)]
    fn run(self, caller: &'static Location<'static>) -> impl Future<Output = Result<Self::Output, Error>>;
}

mod sealed {
    pub trait Sealed {}
}

/// Runs each of `tasks` in a task of its own. Returns their values in the same order, when all have ended.
///
/// The tasks may borrow from the frame. Those in a tuple may have values of different types. trio users write this
/// with a nursery and a list; asyncio's `gather`, futures' `try_join_all`.
///
/// # Cancellation
/// As of a [nursery](nursery()): it is a schedule point, and the tasks are cancelled. All of them have ended when it
/// returns. Dropping the future drops them.
///
/// # Errors
/// If a task fails, the others are cancelled. Then the group of their errors, as a nursery returns it.
///
/// ```
/// use terzetto::{Error, children::gather, sleep};
/// async fn load(name: &str) -> Result<usize, Error> {
///     sleep(0.001).await?;
///     Ok(name.len())
/// }
/// terzetto::run(async {
///     let (size, words) = gather((load("disk"), async { Ok(vec!["one", "two"]) })).await?;
///     assert_eq!((size, words.len()), (4, 2));
///     assert_eq!(gather([load("a"), load("bcd")]).await?, [1, 3]);
///     let names = ["x", "yy", "zzz"];
///     assert_eq!(gather(names.map(load).into_iter().collect::<Vec<_>>()).await?, vec![1, 2, 3]);
///     Ok(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "join_all")]
#[doc(alias = "try_join_all")]
#[track_caller]
pub fn gather<G: Gather>(tasks: G) -> impl Future<Output = Result<G::Output, Error>> {
    tasks.run(Location::caller())
}

impl<T, F: Future<Output = Result<T, Error>>> sealed::Sealed for Vec<F> {}

impl<T, F: Future<Output = Result<T, Error>>> Gather for Vec<F> {
    type Output = Vec<T>;

    async fn run(self, caller: &'static Location<'static>) -> Result<Vec<T>, Error> {
        let values = RefCell::new(Vec::new());
        values.borrow_mut().resize_with(self.len(), || None);
        let places = &values;
        nursery(async move |n| {
            for (index, task) in self.into_iter().enumerate() {
                n.start_soon_for(name_of(&task), caller, async move {
                    let value = task.await?;
                    places.borrow_mut()[index] = Some(value);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        Ok(values.into_inner().into_iter().collect::<Option<Vec<T>>>().ok_or(BodyCancelled)?)
    }
}

impl<T, F: Future<Output = Result<T, Error>>, const N: usize> sealed::Sealed for [F; N] {}

impl<T, F: Future<Output = Result<T, Error>>, const N: usize> Gather for [F; N] {
    type Output = [T; N];

    async fn run(self, caller: &'static Location<'static>) -> Result<[T; N], Error> {
        let values = Vec::from(self).run(caller).await?;
        let values: Result<[T; N], Vec<T>> = values.try_into();
        values.map_err(|_| BodyCancelled.into())
    }
}

/// Implements `Gather` for tuples.
macro_rules! tuples {
    ($($($task:ident: $F:ident -> $T:ident in $value:ident),+;)+) => {
        $(
            impl<$($T, $F: Future<Output = Result<$T, Error>>),+> sealed::Sealed for ($($F,)+) {}

            impl<$($T, $F: Future<Output = Result<$T, Error>>),+> Gather for ($($F,)+) {
                type Output = ($($T,)+);

                async fn run(self, caller: &'static Location<'static>) -> Result<Self::Output, Error> {
                    let ($($task,)+) = self;
                    $(let $value = Cell::new(None);)+
                    nursery(async |n| {
                        $(
                            let place = &$value;
                            n.start_soon_for(name_of(&$task), caller, async move {
                                place.set(Some($task.await?));
                                Ok(())
                            });
                        )+
                        Ok(())
                    })
                    .await?;
                    Ok(($($value.into_inner().ok_or(BodyCancelled)?,)+))
                }
            }
        )+
    };
}

tuples! {
    a: A -> T1 in v1;
    a: A -> T1 in v1, b: B -> T2 in v2;
    a: A -> T1 in v1, b: B -> T2 in v2, c: C -> T3 in v3;
    a: A -> T1 in v1, b: B -> T2 in v2, c: C -> T3 in v3, d: D -> T4 in v4;
    a: A -> T1 in v1, b: B -> T2 in v2, c: C -> T3 in v3, d: D -> T4 in v4, e: E -> T5 in v5;
    a: A -> T1 in v1, b: B -> T2 in v2, c: C -> T3 in v3, d: D -> T4 in v4, e: E -> T5 in v5, f: F -> T6 in v6;
}
