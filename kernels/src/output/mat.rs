//! Fields as MATLAB files, with the variables that PIVlab exports.
//!
//! Thielicke and Sonntag 2021, *Particle Image Velocimetry for MATLAB: Accuracy and enhanced algorithms in PIVlab*,
//! Journal of Open Research Software 9, 12. The format is version 5 without compression (MathWorks, *MAT-File Format*):
//! a header of 128 bytes, then elements of a type, a length and bytes, of which arrays hold others. HDF5 files of
//! version 7.3 would need a large library, and MATLAB, Octave and SciPy read this one.
//!
//! ```text
//! matrix: flags (class), dimensions, name, values column by column        cell: the same, with matrices for values
//! ```

use crate::{Flags, Vector, VectorField, fields::Scale};

/// Types of elements.
const INT8: u32 = 1;
const UINT16: u32 = 4;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;

/// Classes of arrays.
const CELL: u8 = 1;
const CHAR: u8 = 4;
const NUMBERS: u8 = 6;

/// A field as the bytes of a MATLAB file, with the variables of PIVlab: cells `x`, `y`, `u_original`, `v_original`,
/// `u_filtered`, `v_filtered`, `typevector_original` and `typevector_filtered`, each with one matrix, and the numbers
/// `calxy` and `calu` and the text `units`.
///
/// As in PIVlab, y and v point downwards, the centre of the upper left pixel is at (1, 1), and rows of a matrix are
/// rows of the field. Types are 1 for valid vectors, 2 for others, 0 for masked ones. `u_original` has no number where
/// a vector is not valid, `u_filtered` has what it was replaced by. With a scale, values are in m and m/s; `calxy` is
/// the length of a pixel, and `calu` the velocity of a pixel a couple.
///
/// ```
/// use terzetto_kernels::{Flags, Vector, VectorField, fields::Scale, output::encode_pivlab};
/// let vector = Vector { x: 15.5, y: 15.5, dx: 2.0, dy: -1.0, correlation: 0.9, peak_ratio: 2.0, flags: Flags::default() };
/// let file = encode_pivlab(&VectorField { nx: 1, ny: 1, vectors: vec![vector] }, &Scale::PIXELS);
/// assert!(file.starts_with(b"MATLAB 5.0 MAT-file"));
/// ```
pub fn encode_pivlab(field: &VectorField, scale: &Scale) -> Vec<u8> {
    let mut file = b"MATLAB 5.0 MAT-file, written by terzetto".to_vec();
    file.resize(124, b' ');
    file.extend(0x0100_u16.to_le_bytes());
    file.extend(b"IM");
    let matrix = |value: &dyn Fn(&Vector) -> f64| {
        let columns = (0..field.nx).flat_map(|ix| (0..field.ny).filter_map(move |iy| field.get(ix, iy)));
        array("", NUMBERS, [field.ny, field.nx], &element(DOUBLE, &doubles(columns.map(value))))
    };
    let measured = |vector: &Vector, value: f64| if vector.flags.is_valid() { value } else { f64::NAN };
    let kind = |vector: &Vector| match vector.flags {
        flags if flags.contains(Flags::MASKED) => 0.0,
        flags if flags.is_valid() => 1.0,
        _ => 2.0,
    };
    let cells: [Cell<'_>; 8] = [
        ("x", &|vector| scale.length(vector.x + 1.0)),
        ("y", &|vector| scale.length(vector.y + 1.0)),
        ("u_original", &|vector| scale.velocity(measured(vector, vector.dx))),
        ("v_original", &|vector| scale.velocity(measured(vector, vector.dy))),
        ("u_filtered", &|vector| scale.velocity(vector.dx)),
        ("v_filtered", &|vector| scale.velocity(vector.dy)),
        ("typevector_original", &kind),
        ("typevector_filtered", &kind),
    ];
    for (name, value) in cells {
        file.extend(array(name, CELL, [1, 1], &matrix(value)));
    }
    for (name, value) in
        [("calxy", scale.length(1.0)), ("calu", scale.velocity(1.0)), ("calv", scale.velocity(1.0))]
    {
        file.extend(array(name, NUMBERS, [1, 1], &element(DOUBLE, &doubles([value].into_iter()))));
    }
    let units = if scale.is_pixels() { "[px] respectively [px/frame]" } else { "[m] respectively [m/s]" };
    let letters: Vec<u8> = units.encode_utf16().flat_map(u16::to_le_bytes).collect();
    file.extend(array("units", CHAR, [1, units.len()], &element(UINT16, &letters)));
    file
}

/// A name, and the number of that name in a vector.
type Cell<'a> = (&'a str, &'a dyn Fn(&Vector) -> f64);

fn doubles(values: impl Iterator<Item = f64>) -> Vec<u8> {
    values.flat_map(f64::to_le_bytes).collect()
}

/// A type, a length, and bytes, which are filled up to a multiple of eight.
fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    // A field of so many vectors that 32 bits do not hold its length fits into no memory before.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut element: Vec<u8> = [kind.to_le_bytes(), length.to_le_bytes()].concat();
    element.extend(bytes);
    element.resize(element.len().next_multiple_of(8), 0);
    element
}

/// An array with its content: an element of numbers or letters, or the arrays of a cell.
fn array(name: &str, class: u8, dimensions: [usize; 2], content: &[u8]) -> Vec<u8> {
    let flags = [u32::from(class).to_le_bytes(), [0; 4]].concat();
    let size = dimensions.map(|length| i32::try_from(length).unwrap_or(i32::MAX).to_le_bytes()).concat();
    let parts = [element(UINT32, &flags), element(INT32, &size), element(INT8, name.as_bytes())];
    element(MATRIX, &[parts.concat(), content.to_vec()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements one after the other in some bytes: their types and contents.
    fn elements(mut bytes: &[u8]) -> Vec<(u32, &[u8])> {
        let mut found = Vec::new();
        while let Some((head, rest)) = bytes.split_at_checked(8) {
            let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
            let length = word(4) as usize;
            found.push((word(0), &rest[..length]));
            bytes = &rest[length.next_multiple_of(8)..];
        }
        assert!(bytes.is_empty());
        found
    }

    #[test]
    fn piv_export_the_variables_of_pivlab_have_their_values_column_by_column() {
        let vector = |index: usize| Vector {
            x: 7.5 + 8.0 * (index % 3) as f64,
            y: 7.5 + 8.0 * (index / 3) as f64,
            dx: index as f64,
            dy: -1.0,
            correlation: 1.0,
            peak_ratio: 2.0,
            flags: if index == 4 { Flags::MEDIAN_OUTLIER | Flags::REPLACED } else { Flags::default() },
        };
        let field = VectorField { nx: 3, ny: 2, vectors: (0..6).map(vector).collect() };
        let file = encode_pivlab(&field, &Scale::new(0.5, 0.1).unwrap());
        let variables = elements(&file[128..]);
        let parts: Vec<Vec<(u32, &[u8])>> = variables.iter().map(|(_, content)| elements(content)).collect();
        let names: Vec<&str> = parts.iter().map(|parts| std::str::from_utf8(parts[2].1).unwrap()).collect();
        assert_eq!(names[..3], ["x", "y", "u_original"]);
        assert_eq!(names[8..], ["calxy", "calu", "calv", "units"]);
        let values = |name: &str| -> Vec<f64> {
            let cell = &parts[names.iter().position(|found| *found == name).unwrap()];
            assert_eq!((cell[0].1[0], cell[3].0), (CELL, MATRIX));
            let matrix = elements(cell[3].1);
            assert_eq!(matrix[1].1, [2, 0, 0, 0, 3, 0, 0, 0], "rows and columns");
            matrix[3].1.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
        };
        assert_eq!(values("x"), [4.25, 4.25, 8.25, 8.25, 12.25, 12.25]);
        assert_eq!(values("u_filtered"), [0.0, 15.0, 5.0, 20.0, 10.0, 25.0]);
        assert!(values("u_original")[3].is_nan() && values("v_original")[0] == -5.0);
        assert_eq!(values("typevector_original"), [1.0, 1.0, 1.0, 2.0, 1.0, 1.0]);
    }
}
