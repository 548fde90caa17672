//! The same work on this runtime and on its peers, to be timed side by side.
//!
//! [`workload`] says what is done, [`peers`] does it once on each runtime, [`measure`] is the clock,
//! [`bell`] a primitive that all of them share. The program `peer` does one workload on one peer and
//! prints what it has measured; `compare` calls it in turns and makes the tables.

#![forbid(unsafe_code)]

pub mod bell;
pub mod measure;
pub mod peers;
pub mod workload;
