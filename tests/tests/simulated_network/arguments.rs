use crate::simulated;
use std::panic::{AssertUnwindSafe, catch_unwind};
use terzetto::{
    Error, InternalError, sleep,
    testing::net::{Fault, Link, RandomFaults},
};

/// The text of a panic.
fn refused<T>(call: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(call()))).unwrap_err();
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[test]
fn net_57_arguments_that_make_no_sense_are_refused_by_name() -> Result<(), Error> {
    assert!(refused(|| Link::new().latency(0.2..=0.1)).contains("`seconds` of a link's latency"));
    assert!(refused(|| Link::new().latency(-1.0..=0.1)).contains("and is -1..=0.1"));
    assert!(refused(|| Link::new().bandwidth(0.0)).contains("bandwidth must be positive, and is 0"));
    assert!(refused(|| Link::new().loss(1.5)).contains("link's loss must be from 0 to 1, and is 1.5"));
    assert!(refused(|| Link::new().duplicates(f64::NAN)).contains("link's duplicates"));
    let faults = || RandomFaults::among(["main"]);
    assert!(
        refused(|| faults().crashes(0.0, 1.0..=2.0)).contains("from one crash to the next must be positive")
    );
    assert!(refused(|| faults().partitions(1.0, 2.0..=1.0)).contains("how long a partition lasts"));
    simulated(1, async |network| {
        network.host("server");
        let unknown = "the simulated network has no host \"srever\"; it has main, server";
        assert_eq!(refused(|| network.inject(Fault::crash("srever"))), unknown);
        assert_eq!(refused(|| network.random_faults(RandomFaults::among(["srever"]))), unknown);
        assert!(refused(|| network.script([(-1.0, Fault::Heal)])).contains("(all partitions end)"));
        let taken = network.host("server").address();
        assert!(refused(|| network.host("main").add_address(taken)).contains("belongs to another host"));
        Ok(())
    })
}

#[test]
fn net_48_a_script_that_names_no_host_ends_the_run() {
    let outcome = simulated(1, async |network| {
        network.script([(1.0, Fault::crash("srever"))]);
        Ok(sleep(2.0).await?)
    });
    let error = outcome.unwrap_err();
    assert!(error.downcast_ref::<InternalError>().is_some(), "{error}");
    assert!(format!("{error:?}").contains("no host \"srever\""), "{error:?}");
}
