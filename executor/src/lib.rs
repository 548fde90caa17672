//! terzetto-executor.
