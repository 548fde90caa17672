//! terzetto-benches.
