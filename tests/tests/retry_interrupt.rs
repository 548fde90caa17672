//! RETRY: a Ctrl-C. Alone in its process, which the signal is sent to.

use signal_hook::{consts::SIGINT, low_level};
use std::cell::Cell;
use terzetto::{
    Error, ErrorGroup, sleep_forever,
    time::{Backoff, Retry},
};
use terzetto_tests::run_mock;

#[test]
fn retry_04_a_ctrl_c_is_not_retried_alone_or_beside_a_failure() {
    run_mock(async {
        for beside_a_failure in [false, true] {
            let calls = Cell::new(0);
            let outcome: Result<(), Error> = Retry::new(Backoff::constant(1))
                .run(async || {
                    calls.set(calls.get() + 1);
                    low_level::raise(SIGINT)?;
                    let interrupt = sleep_forever().await.unwrap_err();
                    match beside_a_failure {
                        true => {
                            let both = vec![Error::msg("disk full"), interrupt.into()];
                            Err(ErrorGroup::new("both", both).into())
                        }
                        false => Err(interrupt.into()),
                    }
                })
                .await;
            assert!(outcome.unwrap_err().is_interrupted());
            assert_eq!(calls.get(), 1);
        }
        Ok(())
    })
    .unwrap();
}
