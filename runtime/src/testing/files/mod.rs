//! Disks that fail: errors, no space, writes that are cut off, and what a crash leaves.
//!
//! A program that keeps data has to be right when the disk is not, and when the power goes. [`FaultyDisk`] stands in front
//! of all operations of [`fs`](crate::fs) on the files below one folder. It fails them by a script or from a seed. It
//! knows what was synced, so [`FaultyDisk::crash`] leaves in the folder what a crash of the machine may leave there.
//!
//! # Why real files
//!
//! The operations of `fs` return types of the standard library, such as `std::fs::Metadata`, which only the system can
//! make. A file system in memory behind the same functions would have to change them. So the files are real ones, in a
//! folder of the test, and only the faults are simulated.
//!
//! # What a crash leaves
//!
//! - **Data** that was synced ([`File::sync_all`](crate::fs::File::sync_all)) is there. Of what was written after that,
//!   the seed decides for each file: nothing, all, or the beginning up to some byte.
//! - **Names** (new files, renames, removals) are there once their folder was synced: open the folder with
//!   [`File::open`](crate::fs::File::open), and sync that. Of the changes after that, either all survive or none, as
//!   the seed decides. So a rename is atomic, and one before the sync of its data may leave an empty file.
//!
//! # What is not simulated
//!
//! Operations of `std::fs` are not failed and do not count, but a crash undoes them like others. Data on the disk does
//! not rot. Links and special files must not be in the folder.
//!
//! `disk` is what users see and decides about faults. `image` is what the disk has: the data and names that are synced.

mod disk;
mod image;

pub use disk::{DiskReport, FaultyDisk};
