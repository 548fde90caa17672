//! Displacements in series of images: the parts of the program `terzetto`, as a library.
//!
//! It is for programs that do what `terzetto` does in another way: with images from a camera, for instance, or with
//! one more step. Whoever only wants to measure uses the program itself; see `terzetto --help`.
//!
//! A pipeline is a function that takes a description of a series and returns a
//! [`Topology`](terzetto_executor::Topology). An executor of [`terzetto_executor`] runs it, and the numbers come from
//! [`terzetto_kernels`].
//!
//! ```
//! use std::{fs, process};
//! use terzetto_executor::{ExecutorAsync, Options};
//! use terzetto_kernels::{MultipassParams, synth::{Flow, SynthParams}};
//! use terzetto_program::{
//!     pipelines::{PivSeries, SynthSeries, piv, synth},
//!     series::{CoupleRule, list_images, make_couples},
//! };
//!
//! let folder = std::env::temp_dir().join(format!("terzetto-doc-{}", process::id()));
//! fs::create_dir_all(&folder)?;
//! let params = SynthParams { width: 64, height: 64, ..SynthParams::default() };
//! let flow = Flow::Uniform { dx: 2.0, dy: 0.0 };
//! let images = synth(SynthSeries { pairs: 2, params, flow, folder: folder.clone() });
//! terzetto::run(ExecutorAsync::new(images, Options::new())?.run())?;
//!
//! let couples = make_couples(&list_images(&folder)?, CoupleRule::Auto)?.couples;
//! let series = PivSeries::new(couples, MultipassParams::default(), folder.clone());
//! let outcome = terzetto::run(ExecutorAsync::new(piv(series), Options::new())?.run())?;
//! assert!(outcome.is_complete());
//! assert!(folder.join("piv_couple_0001a-b.csv").exists());
//! fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where next
//!
//! - [`series`]: the images of a folder, and the couples that they make.
//! - [`films`]: files that hold a series, such as videos. [`masks`]: what is no flow. [`params`]: files of parameters.
//! - [`pipelines`]: the tasks: displacements, filtered images, statistics, synthetic images.
//! - [`results`]: vector fields as text, statistics of a series. [`plot`]: pictures of vector fields. [`report`]: a page
//!   about a series.
//! - `main.rs` and `commands/` are the program: one command a file.
#![forbid(unsafe_code)]

pub mod films;
pub mod masks;
pub mod params;
pub mod pipelines;
pub mod plot;
pub mod report;
pub mod results;
pub mod series;

/// The name and version of the program, as results keep it.
pub const PROGRAM: &str = concat!("terzetto ", env!("CARGO_PKG_VERSION"));
