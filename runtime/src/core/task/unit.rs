//! Whether a type is `()`.
//!
//! A nursery whose body was cancelled by the nursery's own scope ends well, as a block of trio's does, if its body was
//! to return nothing. So it must know whether the body's type is `()`, also of types that borrow, which `Any` cannot
//! tell.

use std::{any::TypeId, mem};

/// The value `()`, if that is what a `T` is.
pub(crate) fn unit<T>() -> Option<T> {
    let is_unit = typeid::of::<T>() == TypeId::of::<()>();
    // SAFETY: a `T` is a `()`: the identities of two types are equal only if they differ in nothing but lifetimes,
    // and `()` has none.
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
