//! CORES: Ctrl-C among several runs. It is for the whole process, so this test has one of its own.

use signal_hook::{consts::SIGINT, low_level};
use std::sync::{
    Barrier,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use terzetto::{cores::Cores, sleep_forever};

#[test]
fn cores_07_ctrl_c_is_raised_in_run_zero_and_ends_all() {
    let (together, cancelled) = (Barrier::new(3), AtomicUsize::new(0));
    let outcome = Cores::new().runs(3).run(async |number| {
        together.wait();
        if number == 1 {
            low_level::raise(SIGINT)?;
        }
        let ended = sleep_forever().await;
        if ended.as_ref().is_err_and(|ended| !ended.is_interrupt()) {
            cancelled.fetch_add(1, SeqCst);
        }
        Ok(ended?)
    });
    assert!(outcome.unwrap_err().is_interrupted());
    assert_eq!(cancelled.into_inner(), 2);
}
