//! terzetto-tests.
