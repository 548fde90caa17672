//! What can take part in a race.

use crate::Error;
use std::pin::Pin;

/// One contender.
pub(super) type Contender<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// Futures with the same type of value that can race: in a tuple, an array or a `Vec`. Those in a tuple may be of
/// different types.
pub trait Contenders<'a, T>: sealed::Sealed<'a, T> {}

pub(super) mod sealed {
    use super::Contender;

    pub trait Sealed<'a, T> {
        fn into_list(self) -> Vec<Contender<'a, T>>;
    }
}

impl<'a, T, C: sealed::Sealed<'a, T>> Contenders<'a, T> for C {}

impl<'a, T, F: Future<Output = Result<T, Error>> + 'a> sealed::Sealed<'a, T> for Vec<F> {
    fn into_list(self) -> Vec<Contender<'a, T>> {
        self.into_iter().map(|future| Box::pin(future) as Contender<'a, T>).collect()
    }
}

impl<'a, T, F: Future<Output = Result<T, Error>> + 'a, const N: usize> sealed::Sealed<'a, T> for [F; N] {
    fn into_list(self) -> Vec<Contender<'a, T>> {
        Vec::from(self).into_list()
    }
}

/// Implements it for tuples.
macro_rules! tuples {
    ($($($task:ident: $F:ident),+;)+) => {
        $(
            impl<'a, T, $($F: Future<Output = Result<T, Error>> + 'a),+> sealed::Sealed<'a, T> for ($($F,)+) {
                fn into_list(self) -> Vec<Contender<'a, T>> {
                    let ($($task,)+) = self;
                    vec![$(Box::pin($task)),+]
                }
            }
        )+
    };
}

tuples! {
    a: A;
    a: A, b: B;
    a: A, b: B, c: C;
    a: A, b: B, c: C, d: D;
    a: A, b: B, c: C, d: D, e: E;
    a: A, b: B, c: C, d: D, e: E, f: F;
}
