//! The classic format of NetCDF 3, without record dimensions: what a result needs, and no more.
//!
//! Our own: the format is three lists and the data (*The NetCDF Classic Format Specification*, Unidata), and what there
//! is instead fits less. Crate by crate:
//!
//! - `netcdf3`, pure Rust: it calls itself experimental, and its data sets cannot be sent between threads.
//! - `netcdf` and `hdf5-metno`, the libraries in C: they make NetCDF-4, and each build compiles HDF5 for minutes, or
//!   needs it installed; all calls go through one lock of the process.
//! - `hdf5-pure`, pure Rust and kept very well: it asks for a newer Rust than this crate does, and no attribute that it
//!   writes is a list of references, with which NetCDF-4 says which dimensions an array has. xarray and ParaView would
//!   not find `x` and `y`.
//!
//! The price: h5py and h5netcdf read HDF5 alone, and so no file of this format. xarray, netCDF4, SciPy, MATLAB and the
//! reader that ParaView has for CF do; `executor/program/tests/netcdf-readers` opens results with them, and has a
//! checker of CF judge them.
//!
//! ```text
//! "CDF" version  records  dimensions  attributes  variables  data of each variable
//! list: tag count item...        name: length bytes padding        numbers: big-endian
//! ```

mod read;
mod write;

use super::OutputError;

/// A file's content.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    /// Names and lengths of the dimensions.
    pub dimensions: Vec<(String, usize)>,
    /// What is said of the file as a whole.
    pub attributes: Vec<(String, Values)>,
    /// The data.
    pub variables: Vec<Variable>,
}

/// An array and what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Indices of its dimensions, the slowest first.
    pub dimensions: Vec<usize>,
    /// What is said of it.
    pub attributes: Vec<(String, Values)>,
    /// As many values as the product of the dimensions.
    pub values: Values,
}

/// Values of one type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Text, as attributes hold it.
    Text(String),
    /// Signed bytes.
    Bytes(Vec<i8>),
    /// 16-bit integers.
    Shorts(Vec<i16>),
    /// 32-bit integers.
    Ints(Vec<i32>),
    /// Numbers of single precision.
    Floats(Vec<f32>),
    /// Numbers of double precision.
    Doubles(Vec<f64>),
}

impl From<&str> for Values {
    fn from(text: &str) -> Values {
        Values::Text(text.to_owned())
    }
}

impl Values {
    /// How many values there are; bytes for text.
    pub fn len(&self) -> usize {
        match self {
            Values::Text(text) => text.len(),
            Values::Bytes(values) => values.len(),
            Values::Shorts(values) => values.len(),
            Values::Ints(values) => values.len(),
            Values::Floats(values) => values.len(),
            Values::Doubles(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers as double precision; none for text.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        Some(match self {
            Values::Text(_) => return None,
            Values::Bytes(values) => values.iter().map(|&value| value.into()).collect(),
            Values::Shorts(values) => values.iter().map(|&value| value.into()).collect(),
            Values::Ints(values) => values.iter().map(|&value| value.into()).collect(),
            Values::Floats(values) => values.iter().map(|&value| value.into()).collect(),
            Values::Doubles(values) => values.clone(),
        })
    }
}

impl Dataset {
    /// Adds a dimension; returns its index.
    pub fn add_dimension(&mut self, name: impl Into<String>, length: usize) -> usize {
        self.dimensions.push((name.into(), length));
        self.dimensions.len() - 1
    }

    /// The variable of a name.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// The file's bytes.
    ///
    /// ```
    /// use terzetto_kernels::output::netcdf::{Dataset, Values, Variable};
    /// let mut data = Dataset::default();
    /// let x = data.add_dimension("x", 3);
    /// let attributes = vec![("units".to_owned(), Values::from("pixel"))];
    /// let values = Values::Floats(vec![0.5, 1.5, 2.5]);
    /// data.variables.push(Variable { name: "x".to_owned(), dimensions: vec![x], attributes, values });
    /// assert_eq!(Dataset::decode(&data.encode()?)?, data);
    /// # Ok::<(), terzetto_kernels::output::OutputError>(())
    /// ```
    ///
    /// # Errors
    /// [`OutputError::TooLarge`] beyond the 2 GiB of the classic format; [`OutputError::Format`] for a variable
    /// whose values do not fill its dimensions.
    pub fn encode(&self) -> Result<Vec<u8>, OutputError> {
        write::encode(self)
    }

    /// The content of a file's bytes, also of one with 64-bit offsets.
    ///
    /// # Errors
    /// [`OutputError::Format`] for anything else, or with a record dimension.
    pub fn decode(bytes: &[u8]) -> Result<Dataset, OutputError> {
        read::decode(bytes)
    }

    /// How many values a variable of these dimensions has; none if a dimension is not there, or they are too many.
    fn size(&self, dimensions: &[usize]) -> Option<usize> {
        dimensions.iter().try_fold(1_usize, |size, &index| size.checked_mul(self.dimensions.get(index)?.1))
    }
}

/// What opens each list.
mod tag {
    pub(super) const DIMENSIONS: u32 = 10;
    pub(super) const VARIABLES: u32 = 11;
    pub(super) const ATTRIBUTES: u32 = 12;
}

/// Types, and the bytes of a value of each.
mod kind {
    pub(super) const BYTE: u32 = 1;
    pub(super) const CHAR: u32 = 2;
    pub(super) const SHORT: u32 = 3;
    pub(super) const INT: u32 = 4;
    pub(super) const FLOAT: u32 = 5;
    pub(super) const DOUBLE: u32 = 6;

    pub(super) fn size(kind: u32) -> Option<usize> {
        match kind {
            BYTE | CHAR => Some(1),
            SHORT => Some(2),
            INT | FLOAT => Some(4),
            DOUBLE => Some(8),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Dataset {
        let mut data = Dataset::default();
        let (y, x) = (data.add_dimension("y", 2), data.add_dimension("x", 3));
        data.attributes.push(("title".to_owned(), Values::from("vectors, 5 °C")));
        data.attributes.push(("numbers".to_owned(), Values::Doubles(vec![1.5, f64::INFINITY])));
        let mut add = |name: &str, dimensions: &[usize], values| {
            let attributes =
                vec![("units".to_owned(), Values::from("px")), ("n".to_owned(), Values::Shorts(vec![3]))];
            let (name, dimensions) = (name.to_owned(), dimensions.to_vec());
            data.variables.push(Variable { name, dimensions, attributes, values });
        };
        add("bytes", &[x], Values::Bytes(vec![1, -2, 3]));
        add("shorts", &[x], Values::Shorts(vec![1, -2, 300]));
        add("ints", &[y, x], Values::Ints(vec![1, 2, 3, 4, 5, -70_000]));
        add("floats", &[y], Values::Floats(vec![0.1, f32::MIN_POSITIVE]));
        add("doubles", &[], Values::Doubles(vec![std::f64::consts::PI]));
        data
    }

    #[test]
    fn what_is_written_is_read_again() {
        let data = sample();
        assert_eq!(Dataset::decode(&data.encode().unwrap()).unwrap(), data);
        let empty = Dataset::default();
        assert_eq!(Dataset::decode(&empty.encode().unwrap()).unwrap(), empty);
    }

    #[test]
    fn values_that_do_not_fill_the_dimensions_are_refused() {
        let mut data = sample();
        data.variables[0].values = Values::Bytes(vec![1]);
        assert!(data.encode().unwrap_err().to_string().contains("`bytes`"));
        data.variables[0].dimensions = vec![9];
        assert!(data.encode().is_err());
    }

    #[test]
    fn damaged_files_are_errors_and_no_panics() {
        let bytes = sample().encode().unwrap();
        for length in 0..bytes.len() {
            // Padding at the very end is not needed to read the values.
            assert!(Dataset::decode(&bytes[..length]).is_err() || length + 4 > bytes.len(), "{length}");
        }
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..3000 {
            let mut damaged = bytes.clone();
            for _ in 0..rng.usize(1..4) {
                let place = rng.usize(..damaged.len());
                damaged[place] = rng.u8(..);
            }
            Dataset::decode(&damaged).ok();
        }
    }
}
