//! Results as files that other programs open.
//!
//! A file holds one couple: [`encode`] makes it of a [`PivResult`](crate::PivResult), [`decode`] reads it back. The
//! format is NetCDF 3, which xarray, netCDF4, SciPy, MATLAB and ParaView read, with the conventions of CF for names and
//! units. [`encode_vtk`], [`encode_tecplot`] and [`encode_openpiv`] make the texts of these programs of a field,
//! [`encode_pivlab`] a MATLAB file.
//! [`netcdf`] knows the format alone, and nothing of PIV.
//!
//! There are no HDF5 files as fluidimage writes them: the crate in pure Rust that would, `hdf5-pure`, asks for a newer
//! Rust than this crate does, and has a breaking release nearly each week; the library in C takes minutes to build.

mod mat;
pub mod netcdf;
mod result;
mod text;

pub use mat::encode_pivlab;
pub use result::{Description, decode, decode_scale, encode};
pub use text::{encode_openpiv, encode_tecplot, encode_vtk};

use std::{error::Error, fmt};

/// Why a result could not be written or read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum OutputError {
    /// The bytes are no whole NetCDF file of the classic format.
    Format {
        /// What is wrong.
        what: String,
    },
    /// The file is sound, but holds no result of this program.
    Missing {
        /// What was looked for.
        name: String,
    },
    /// What should be written does not fit into the format.
    TooLarge {
        /// What it is.
        what: String,
    },
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputError::Format { what } => write!(f, "no sound NetCDF file: {what}"),
            OutputError::Missing { name } => {
                write!(f, "the NetCDF file has no `{name}` of the kind of a PIV result")
            }
            OutputError::TooLarge { what } => write!(f, "{what} does not fit into a NetCDF file"),
        }
    }
}

impl Error for OutputError {}
