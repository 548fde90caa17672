//! SIG-04: a Ctrl-C inside a user's own error. Alone in its process, which the signal is sent to.

use signal_hook::{consts::SIGINT, low_level};
use terzetto::{Error, ErrorGroup, sleep_forever};
use terzetto_tests::run_mock;

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer(#[source] Error);

#[derive(Debug, thiserror::Error)]
#[error("without a source: {0}")]
struct Opaque(Error);

#[test]
fn sig_04_a_ctrl_c_inside_an_own_error_is_found_and_no_cancellation() {
    let errors = run_mock(async {
        low_level::raise(SIGINT)?;
        let interrupt = sleep_forever().await.unwrap_err();
        assert!(interrupt.is_interrupt());
        let group = ErrorGroup::new("both", vec![Error::msg("disk full"), interrupt.clone().into()]);
        Ok([
            Error::from(Outer(interrupt.clone().into())),
            Error::from(Opaque(interrupt.into())),
            Error::from(Outer(group.into())),
        ])
    });
    for error in errors.unwrap() {
        assert!(error.is_interrupted() && !error.is_cancelled(), "{error}");
    }
}
