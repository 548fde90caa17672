//! trio's `test_local`: variables of a run.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};
use terzetto::{lowlevel::RunVar, nursery, run, testing::wait_all_tasks_blocked};
use terzetto_tests::run_mock;

#[test]
fn trio_local_runvar_smoketest() {
    static ONE: RunVar<&str> = RunVar::new("test1");
    static TWO: RunVar<&str> = RunVar::with_default("test2", || "catfish");
    assert_eq!((ONE.name(), format!("{ONE:?}")), ("test1", "RunVar { name: \"test1\", .. }".to_owned()));
    run(async {
        assert_eq!(ONE.get(), None);
        ONE.set("swordfish");
        assert_eq!((ONE.get(), TWO.get(), TWO.get_or("eel")), (Some("swordfish"), Some("catfish"), "eel"));
        TWO.set("goldfish");
        assert_eq!((TWO.get(), TWO.get_or("tuna")), (Some("goldfish"), "goldfish"));
        Ok(())
    })
    .unwrap();
    // Another run has its own.
    run(async {
        assert_eq!((ONE.get(), TWO.get()), (None, Some("catfish")));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_local_runvar_resetting() {
    static ONE: RunVar<&str> = RunVar::new("test1");
    static TWO: RunVar<&str> = RunVar::with_default("test2", || "dogfish");
    run(async {
        // What was set before is returned, and set again or taken away.
        assert_eq!(ONE.set("moonfish"), None);
        assert_eq!((ONE.unset(), ONE.get(), ONE.unset()), (Some("moonfish"), None, None));
        assert_eq!(TWO.set("catdogfish"), None);
        assert_eq!(TWO.set("ray"), Some("catdogfish"));
        assert_eq!((TWO.set("catdogfish"), TWO.get()), (Some("ray"), Some("catdogfish")));
        TWO.unset();
        assert_eq!(TWO.get(), Some("dogfish"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_local_runvar_sync() {
    static VAR: RunVar<&str> = RunVar::new("test1");
    run_mock(nursery(async |n| {
        let before = VAR.set("cod");
        n.start_soon(async {
            VAR.set("plaice");
            assert_eq!(VAR.get(), Some("plaice"));
            Ok(())
        });
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(VAR.get(), Some("plaice"));
        n.start_soon(async move {
            assert_eq!(before, None);
            VAR.unset();
            assert_eq!(VAR.get(), None);
            VAR.set("haddock");
            Ok(())
        });
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(VAR.get(), Some("haddock"));
        Ok(())
    }))
    .unwrap();
}

#[test]
fn trio_local_accessing_runvar_outside_run_call_fails() {
    static VAR: RunVar<u32> = RunVar::with_default("test1", || 1);
    run(async { Ok(VAR.set(2)) }).unwrap();
    assert!(catch_unwind(|| VAR.set(1)).is_err() && catch_unwind(|| VAR.get()).is_err());
    assert!(catch_unwind(|| VAR.unset()).is_err() && catch_unwind(|| VAR.get_or(3)).is_err());
}

/// Tries to come back when it is dropped.
#[derive(Clone)]
struct Stubborn(Rc<Cell<u32>>);

impl Drop for Stubborn {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
        if terzetto::lowlevel::in_run() {
            STUBBORN.set(Own(Rc::new(())));
            drop(STUBBORN.get());
        }
    }
}

#[derive(Clone)]
struct Own(#[allow(dead_code, reason = "it is there to be dropped")] Rc<()>);

static STUBBORN: RunVar<Own> = RunVar::new("stubborn");
static DROPPED: RunVar<Stubborn> = RunVar::new("dropped");

#[test]
fn what_is_set_in_a_run_is_dropped_with_it() {
    let drops = Rc::new(Cell::new(0));
    let held = drops.clone();
    run(async move {
        DROPPED.set(Stubborn(held));
        Ok(())
    })
    .unwrap();
    assert_eq!((drops.get(), Rc::strong_count(&drops)), (1, 1));
    // Also if the main task panics.
    let held = drops.clone();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run::<()>(async move {
            DROPPED.set(Stubborn(held));
            panic!("main")
        })
    }));
    assert!(ended.is_err() && drops.get() == 2);
}
