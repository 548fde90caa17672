//! Vector fields as text: comments that say what the numbers are, a line of column names, and a line for each vector.
//!
//! Spreadsheets read such text, and so do `numpy.genfromtxt` and people.

use std::{error::Error, fmt, fmt::Write};

/// The column names, in order.
const COLUMNS: &str = "x,y,dx,dy,correlation,flags";
/// What follows them if the scale is known, and if uncertainties are.
const VELOCITY_COLUMNS: &str = ",u,v";
const UNCERTAINTY_COLUMNS: &str = ",dx_uncertainty,dy_uncertainty";

/// The content of a file with a vector field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldFile {
    /// Comment lines `name: value`. They say where the field comes from and how it was computed.
    pub header: Vec<(String, String)>,
    /// The vectors.
    pub rows: Vec<Row>,
}

/// One vector of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The place of the vector, in pixels. x is to the right, y is downwards, and the centre of the upper left pixel
    /// is at (0, 0).
    pub x: f64,
    /// See `x`.
    pub y: f64,
    /// Displacement from the first to the second image, in pixels.
    pub dx: f64,
    /// See `dx`.
    pub dy: f64,
    /// The height of the correlation peak, at most 1.
    pub correlation: f64,
    /// The names of what is wrong with the vector, joined by `+`. It is empty if the vector is valid.
    pub flags: String,
    /// Velocity to the right and upwards in m/s, if the scale is known.
    pub velocity: Option<[f64; 2]>,
    /// The standard deviations of `dx` and `dy`, in pixels, if they were estimated.
    pub uncertainty: Option<[f64; 2]>,
}

impl Row {
    /// Is the vector valid?
    pub fn is_valid(&self) -> bool {
        self.flags.is_empty()
    }
}

/// Writes a field as text.
pub fn format_csv(field: &FieldFile) -> String {
    let mut text = String::with_capacity(48 * field.rows.len() + 1024);
    write_to(&mut text, field).expect("writing to a string cannot fail");
    text
}

fn write_to(text: &mut String, field: &FieldFile) -> fmt::Result {
    for (name, value) in &field.header {
        // A line break in a file's name must not end the comment.
        let value = value.replace(['\n', '\r'], " ");
        writeln!(text, "# {name}: {value}")?;
    }
    let has_velocities = field.rows.iter().any(|row| row.velocity.is_some());
    let has_uncertainties = field.rows.iter().any(|row| row.uncertainty.is_some());
    let part = |has: bool, columns: &'static str| if has { columns } else { "" };
    let optional = [part(has_velocities, VELOCITY_COLUMNS), part(has_uncertainties, UNCERTAINTY_COLUMNS)];
    writeln!(text, "{COLUMNS}{}", optional.concat())?;
    for row in &field.rows {
        let Row { x, y, dx, dy, correlation, flags, velocity, uncertainty } = row;
        write!(text, "{x},{y},{dx:.5},{dy:.5},{correlation:.4},{flags}")?;
        if has_velocities {
            let [u, v] = velocity.unwrap_or([f64::NAN; 2]);
            write!(text, ",{u:.7e},{v:.7e}")?;
        }
        if has_uncertainties {
            let [dx, dy] = uncertainty.unwrap_or([f64::NAN; 2]);
            write!(text, ",{dx:.5},{dy:.5}")?;
        }
        writeln!(text)?;
    }
    Ok(())
}

/// The text is not a vector field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl Error for CsvError {}

/// Reads a text that [`format_csv`] has written.
///
/// # Errors
///
/// [`CsvError`] with the first line that is wrong.
///
/// ```
/// use terzetto_program::results::parse_csv;
///
/// let field = parse_csv("# window: 32 px\nx,y,dx,dy,correlation,flags\n16,16,1.5,-2,0.9,\n")?;
/// assert_eq!(field.header, [("window".to_owned(), "32 px".to_owned())]);
/// assert_eq!(field.rows[0].dy, -2.0);
/// # Ok::<(), terzetto_program::results::CsvError>(())
/// ```
pub fn parse_csv(text: &str) -> Result<FieldFile, CsvError> {
    let mut field = FieldFile::default();
    let mut columns: Option<[bool; 2]> = None;
    let mut last = 0;
    for (index, line) in text.lines().enumerate() {
        last = index + 1;
        let failed = |problem: String| CsvError { line: last, problem };
        if let Some(comment) = line.strip_prefix('#') {
            let (name, value) = comment.split_once(':').unwrap_or((comment, ""));
            field.header.push((name.trim().to_owned(), value.trim().to_owned()));
        } else if let Some(columns) = columns {
            field.rows.push(parse_row(line, columns).map_err(failed)?);
        } else if let Some(found) = line.strip_prefix(COLUMNS).and_then(optional_columns) {
            columns = Some(found);
        } else {
            return Err(failed(format!("expected the column names `{COLUMNS}`")));
        }
    }
    if columns.is_some() {
        return Ok(field);
    }
    Err(CsvError { line: last, problem: "the text ends before the column names".to_owned() })
}

/// Whether there are velocities, and uncertainties.
fn optional_columns(rest: &str) -> Option<[bool; 2]> {
    let (velocity, rest) = match rest.strip_prefix(VELOCITY_COLUMNS) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    match rest {
        "" => Some([velocity, false]),
        UNCERTAINTY_COLUMNS => Some([velocity, true]),
        _ => None,
    }
}

fn parse_row(line: &str, [has_velocity, has_uncertainty]: [bool; 2]) -> Result<Row, String> {
    let columns: Vec<&str> = line.split(',').collect();
    let wanted = 6 + 2 * (usize::from(has_velocity) + usize::from(has_uncertainty));
    let [x, y, dx, dy, correlation, flags, ref rest @ ..] = columns[..] else {
        return Err(format!("expected {wanted} columns, found {}", columns.len()));
    };
    if columns.len() != wanted {
        return Err(format!("expected {wanted} columns, found {}", columns.len()));
    }
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is not a number"));
    let mut pairs = rest.chunks_exact(2).map(|pair| Ok::<_, String>([number(pair[0])?, number(pair[1])?]));
    let velocity = if has_velocity { pairs.next().transpose()? } else { None };
    let uncertainty = if has_uncertainty { pairs.next().transpose()? } else { None };
    Ok(Row {
        x: number(x)?,
        y: number(y)?,
        dx: number(dx)?,
        dy: number(dy)?,
        correlation: number(correlation)?,
        flags: flags.to_owned(),
        velocity,
        uncertainty,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let row = |x: f64, dx: f64, flags: &str| Row {
            x,
            y: 8.5,
            dx,
            dy: -0.25,
            correlation: 0.75,
            flags: flags.to_owned(),
            velocity: None,
            uncertainty: None,
        };
        let mut field = FieldFile {
            header: vec![("image 0".to_owned(), "a: b.png".to_owned())],
            rows: vec![row(16.0, 1.125, ""), row(32.0, -3.0, "weak+outlier")],
        };
        assert_eq!(parse_csv(&format_csv(&field)), Ok(field.clone()));
        field.rows.iter_mut().for_each(|row| row.uncertainty = Some([0.25, 0.125]));
        assert_eq!(parse_csv(&format_csv(&field)), Ok(field.clone()));
        field.rows.iter_mut().for_each(|row| row.velocity = Some([0.0625, -2.5e-7]));
        assert_eq!(parse_csv(&format_csv(&field)), Ok(field));
    }

    #[test]
    fn errors_name_their_line() {
        let line = |text: &str| parse_csv(text).expect_err("not a field").line;
        assert_eq!(line(""), 0);
        assert_eq!(line("# a: b\nx,y\n"), 2);
        assert_eq!(line("x,y,dx,dy,correlation,flags\n1,2,3,4,5\n"), 2);
        assert_eq!(line("x,y,dx,dy,correlation,flags\n1,2,3,4,5,\n1,2,a,4,5,\n"), 3);
    }

    #[test]
    fn line_breaks_in_names_do_not_break_the_file() {
        let field =
            FieldFile { header: vec![("image 0".to_owned(), "a\nb.png".to_owned())], rows: Vec::new() };
        let read = parse_csv(&format_csv(&field)).expect("a field");
        assert_eq!(read.header[0].1, "a b.png");
    }
}
