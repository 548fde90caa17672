//! terzetto.
