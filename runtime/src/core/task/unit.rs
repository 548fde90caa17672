//! Whether a type is `()`.
//!
//! A nursery's body may be cancelled by the nursery's own scope, before it has a value. If the body returns nothing,
//! the nursery then ends without an error, as a block of trio does. So it must know whether the body's type is `()`.
//! `Any` cannot tell that of types that borrow.

use std::{any::TypeId, mem};

/// The value `()`, if `T` is `()`.
pub(crate) fn unit<T>() -> Option<T> {
    let is_unit = typeid::of::<T>() == TypeId::of::<()>();
    // SAFETY: a `T` is a `()`. Two types have the same identity only if they differ in nothing but lifetimes, and
    // `()` has no lifetimes.
    is_unit.then(|| unsafe { mem::transmute_copy::<(), T>(&()) })
}

#[cfg(test)]
mod tests {
    use super::unit;

    #[test]
    fn only_unit_is_unit() {
        struct Empty;
        assert_eq!(unit::<()>(), Some(()));
        assert!(unit::<Empty>().is_none() && unit::<&()>().is_none() && unit::<((),)>().is_none());
        assert!(unit::<[(); 1]>().is_none() && unit::<std::marker::PhantomData<()>>().is_none());
    }
}
