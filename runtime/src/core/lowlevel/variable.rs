//! Variables of a run: values that all tasks of one run share, and no other run has.

use crate::core::{
    run,
    run::{Run, extensions::Extension},
};
use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::HashMap,
    fmt,
    marker::PhantomData,
    rc::Rc,
};

/// What is set in a run, by the addresses of the variables.
#[derive(Default)]
struct Variables {
    values: RefCell<HashMap<usize, Rc<dyn Any>>>,
    /// Whether the run is over: a destructor of a value could set another one.
    ended: Cell<bool>,
}

impl Variables {
    fn get(&self, key: usize) -> Option<Rc<dyn Any>> {
        self.values.borrow().get(&key).cloned()
    }

    /// Sets or takes away a value; returns the former one, to be dropped with nothing borrowed.
    fn set(&self, key: usize, value: Option<Rc<dyn Any>>) -> Option<Rc<dyn Any>> {
        let mut values = self.values.borrow_mut();
        match value {
            Some(value) if !self.ended.get() => values.insert(key, value),
            _ => values.remove(&key),
        }
    }

    /// Those of a run.
    fn of(run: &Run) -> Rc<Variables> {
        run.extensions.get(Variables::default)
    }
}

impl Extension for Variables {
    /// Drops what was set.
    fn run_ends(&self) {
        self.ended.set(true);
        let values = self.values.take();
        drop(values);
    }
}

/// A value that belongs to a run: all its tasks see the same one, other runs have their own, and with the run it is
/// dropped. trio's `RunVar`. For what a library keeps once for each run: a cache, a pool of connections.
///
/// What each task has of its own is a [`ContextVar`](crate::ContextVar).
///
/// ```
/// use terzetto::{nursery, lowlevel::RunVar};
/// static REQUESTS: RunVar<u32> = RunVar::with_default("requests", || 0);
/// for _ in 0..2 {
///     terzetto::run(async {
///         nursery(async |n| {
///             for _ in 0..3 {
///                 n.start_soon(async {
///                     REQUESTS.set(REQUESTS.get().unwrap_or_default() + 1);
///                     Ok(())
///                 });
///             }
///             Ok(())
///         }).await?;
///         assert_eq!(REQUESTS.get(), Some(3));
///         Ok(())
///     })?;
/// }
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct RunVar<T> {
    name: &'static str,
    default: Option<fn() -> T>,
    value: PhantomData<fn() -> T>,
}

impl<T: Clone + 'static> RunVar<T> {
    /// A variable that is set in no run; to be kept in a `static`.
    pub const fn new(name: &'static str) -> RunVar<T> {
        RunVar { name, default: None, value: PhantomData }
    }

    /// A variable that has this value in each run in which none was set; to be kept in a `static`.
    pub const fn with_default(name: &'static str, default: fn() -> T) -> RunVar<T> {
        RunVar { name, default: Some(default), value: PhantomData }
    }

    /// Its name, for messages.
    pub fn name(&'static self) -> &'static str {
        self.name
    }

    /// A static's address is its own: the struct is not empty.
    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn set_to(&'static self, value: Option<T>) -> Option<T> {
        let value = value.map(|value| Rc::new(value) as Rc<dyn Any>);
        let former = run::with(|run: &Rc<Run>| Variables::of(run).set(self.key(), value))?;
        former.downcast_ref::<T>().cloned()
    }

    /// The value that was set in the current run.
    fn own(&'static self) -> Option<T> {
        let value = run::with(|run: &Rc<Run>| Variables::of(run).get(self.key()))?;
        value.downcast_ref::<T>().cloned()
    }

    /// The value in the current run: what was set there, or else its default, if it has one.
    ///
    /// # Panics
    /// Outside a run.
    pub fn get(&'static self) -> Option<T> {
        self.own().or_else(|| self.default.map(|default| default()))
    }

    /// The value that was set in the current run, or else `other`, whatever the variable's own default.
    ///
    /// # Panics
    /// Outside a run.
    pub fn get_or(&'static self, other: T) -> T {
        self.own().unwrap_or(other)
    }

    /// Sets the value for the rest of the run; returns the one that was set before, if any. To set that again, or to
    /// [take the value away](RunVar::unset) if there was none, is what trio's `reset` does.
    ///
    /// # Panics
    /// Outside a run.
    pub fn set(&'static self, value: T) -> Option<T> {
        self.set_to(Some(value))
    }

    /// Takes the value away from the current run; returns it.
    ///
    /// # Panics
    /// Outside a run.
    pub fn unset(&'static self) -> Option<T> {
        self.set_to(None)
    }
}

impl<T> fmt::Debug for RunVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunVar").field("name", &self.name).finish_non_exhaustive()
    }
}
