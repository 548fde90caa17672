//! Each mistake is refused, with the message that is kept beside it.

/// The messages are those of the stable compiler that CI uses. After an update of the compiler, look at the new ones, and
/// keep them by `TRYBUILD=overwrite cargo test -p terzetto-compile-errors`.
#[test]
fn common_mistakes_do_not_compile() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
