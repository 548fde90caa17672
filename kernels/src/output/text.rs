//! Fields as the text files of other programs: VTK, Tecplot, and OpenPIV.
//!
//! Lengths and velocities are those of a [`Scale`]; y points upwards, as these programs draw it, with its origin at the
//! lowest border of what the windows cover; the first row of the file is the lowest. Vectors are vectors, which ParaView and
//! Tecplot draw as arrows at once, and not two numbers that happen to lie side by side.

use crate::{
    Flags, Vector, VectorField,
    fields::{Derivatives, Scale, derivatives},
};
use std::fmt::Write;

/// A vector with what was derived at its place, in the units of a scale.
struct Row {
    x: f64,
    y: f64,
    u: f64,
    v: f64,
    vorticity: f64,
    divergence: f64,
    strain: f64,
    lambda2: f64,
    correlation: f64,
    valid: bool,
    masked: bool,
}

/// The rows of a field from the lowest one up.
fn rows<'a>(field: &'a VectorField, scale: &'a Scale) -> impl Iterator<Item = Row> + 'a {
    let found = derivatives(field, true);
    // Pixel rows are counted downwards; the lowest window stands as far above zero as the uppermost below the border.
    let lowest = field.vectors.last().map_or(0.0, |vector| vector.y);
    let uppermost = field.vectors.first().map_or(0.0, |vector| vector.y);
    let row = move |vector: &Vector, at: Derivatives| Row {
        x: scale.length(vector.x),
        y: scale.length(lowest + uppermost - vector.y),
        u: scale.velocity(vector.dx),
        v: scale.velocity(-vector.dy),
        vorticity: scale.rate(at.vorticity()),
        divergence: scale.rate(at.divergence()),
        strain: scale.rate(at.strain()),
        lambda2: scale.rate(scale.rate(at.lambda2())),
        correlation: vector.correlation,
        valid: vector.flags.is_valid(),
        masked: vector.flags.contains(Flags::MASKED),
    };
    (0..field.ny).rev().flat_map(move |iy| {
        let line = iy * field.nx..(iy + 1) * field.nx;
        line.map(|index| row(&field.vectors[index], found[index])).collect::<Vec<_>>()
    })
}

/// A number as all of these programs read it.
fn number(value: f64) -> String {
    if value.is_nan() { "nan".to_owned() } else { format!("{value:.9e}") }
}

/// The units of a scale, for titles: `px` and `px` a couple, or those of the scale's numbers.
fn title(scale: &Scale) -> &'static str {
    if scale.is_pixels() { "displacement, px" } else { "velocity, m/s" }
}

/// A field in the legacy format of VTK, a structured grid in text (Kitware, *VTK File Formats*): `velocity` is a vector
/// with a third component of zero, the rest are scalars. ParaView leaves out places that are not numbers.
///
/// ```
/// use terzetto_kernels::{PivParams, PivPlan, SynthParams, Flow, synth_couple, fields::Scale};
/// use terzetto_kernels::output::encode_vtk;
/// let (first, second) = synth_couple(&SynthParams::default(), &Flow::Uniform { dx: 2.0, dy: 1.0 }, 0)?;
/// let field = PivPlan::new(&PivParams::default(), 512, 512)?.compute(&first, &second)?;
/// let text = encode_vtk(&field, &Scale::PIXELS);
/// assert!(text.contains("DIMENSIONS 31 31 1") && text.contains("VECTORS velocity double"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode_vtk(field: &VectorField, scale: &Scale) -> String {
    let rows: Vec<Row> = rows(field, scale).collect();
    let count = rows.len();
    let mut text = format!(
        "# vtk DataFile Version 3.0\nterzetto: {}\nASCII\nDATASET STRUCTURED_GRID\nDIMENSIONS {} {} 1\nPOINTS {count} double\n",
        title(scale),
        field.nx,
        field.ny
    );
    // Writing into a string cannot fail.
    for row in &rows {
        let _ = writeln!(text, "{} {} 0", number(row.x), number(row.y));
    }
    let _ = writeln!(text, "POINT_DATA {count}\nVECTORS velocity double");
    for row in &rows {
        let _ = writeln!(text, "{} {} 0", number(row.u), number(row.v));
    }
    for (name, value) in SCALARS {
        let _ = writeln!(text, "SCALARS {name} double 1\nLOOKUP_TABLE default");
        for row in &rows {
            let _ = writeln!(text, "{}", number(value(row)));
        }
    }
    text
}

/// A name, and the number of that name in a row.
type Scalar = (&'static str, fn(&Row) -> f64);

/// What all formats hold beside the vectors.
const SCALARS: [Scalar; 6] = [
    ("vorticity", |row| row.vorticity),
    ("divergence", |row| row.divergence),
    ("strain", |row| row.strain),
    ("lambda2", |row| row.lambda2),
    ("correlation", |row| row.correlation),
    ("valid", |row| f64::from(u8::from(row.valid))),
];

/// A field in the text format of Tecplot (*360 Data Format Guide*): one ordered zone, a point a line, with `U` and `V`
/// named as the components of vectors. Tecplot knows no missing numbers: masked points have zeros, and `valid` zero.
pub fn encode_tecplot(field: &VectorField, scale: &Scale) -> String {
    let names: Vec<String> = SCALARS.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let mut text = format!(
        "TITLE = \"terzetto: {}\"\nVARIABLES = \"X\", \"Y\", \"U\", \"V\", {}\n\
         DATASETAUXDATA Common.VectorVarsAreVelocity = \"TRUE\"\nDATASETAUXDATA Common.UVar = \"3\"\n\
         DATASETAUXDATA Common.VVar = \"4\"\nZONE I={}, J={}, DATAPACKING=POINT\n",
        title(scale),
        names.join(", "),
        field.nx,
        field.ny
    );
    for row in rows(field, scale) {
        let numbers =
            [row.x, row.y, row.u, row.v].into_iter().chain(SCALARS.iter().map(|(_, value)| value(&row)));
        let numbers: Vec<String> =
            numbers.map(|value| number(if value.is_nan() { 0.0 } else { value })).collect();
        let _ = writeln!(text, "{}", numbers.join(" "));
    }
    text
}

/// A field as OpenPIV saves it (`openpiv.tools.save`): columns x, y, u, v, flags (0 valid, 1 not) and mask (1 masked),
/// between tabulators.
pub fn encode_openpiv(field: &VectorField, scale: &Scale) -> String {
    let mut text = String::from("# x\ty\tu\tv\tflags\tmask\n");
    for row in rows(field, scale) {
        let (flag, mask) = (u8::from(!row.valid && !row.masked), u8::from(row.masked));
        let [x, y, u, v] = [row.x, row.y, row.u, row.v].map(number);
        let _ = writeln!(text, "{x}\t{y}\t{u}\t{v}\t{flag}\t{mask}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three columns and two rows 16 px apart, which turn counter-clockwise by 0.02 rad; one is masked.
    fn field() -> VectorField {
        let vector = |index: usize| {
            let (x, y) = (7.5 + 16.0 * (index % 3) as f64, 7.5 + 16.0 * (index / 3) as f64);
            let flags = if index == 5 { Flags::MASKED } else { Flags::default() };
            let (dx, dy) = if index == 5 { (f64::NAN, f64::NAN) } else { (0.02 * y, -0.02 * x) };
            Vector { x, y, dx, dy, correlation: 0.5, peak_ratio: 2.0, flags }
        };
        VectorField { nx: 3, ny: 2, vectors: (0..6).map(vector).collect() }
    }

    fn numbers(line: &str) -> Vec<f64> {
        line.split_whitespace().map(|word| word.parse().unwrap()).collect()
    }

    #[test]
    fn vtk_has_points_vectors_and_what_is_derived_from_the_lowest_row_up() {
        // 0.5 mm a pixel, 0.1 s: 5 mm/s for a displacement of 1 px.
        let text = encode_vtk(&field(), &Scale::new(0.5, 0.1).unwrap());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "# vtk DataFile Version 3.0");
        assert_eq!(&lines[2..6], ["ASCII", "DATASET STRUCTURED_GRID", "DIMENSIONS 3 2 1", "POINTS 6 double"]);
        let (first, last) = (numbers(lines[6]), numbers(lines[11]));
        assert_eq!((&first[..], &last[..]), (&[3.75, 3.75, 0.0][..], &[19.75, 11.75, 0.0][..]));
        let vectors = lines.iter().position(|line| *line == "VECTORS velocity double").unwrap();
        // The first is the lower left vector, at row 23.5: u = 0.02 * 23.5 * 5, v = 0.02 * 7.5 * 5.
        let vector = numbers(lines[vectors + 1]);
        assert!((vector[0] - 2.35).abs() < 1e-9 && (vector[1] - 0.75).abs() < 1e-9 && vector[2] == 0.0);
        assert_eq!(lines[vectors + 3], "nan nan 0", "the masked one");
        let vorticity = lines.iter().position(|line| line.starts_with("SCALARS vorticity")).unwrap();
        assert!((numbers(lines[vorticity + 2])[0] - 0.4).abs() < 1e-9);
    }

    #[test]
    fn tecplot_names_its_vectors_and_has_a_point_a_line() {
        let text = encode_tecplot(&field(), &Scale::PIXELS);
        assert!(text.contains("ZONE I=3, J=2, DATAPACKING=POINT") && text.contains("Common.UVar = \"3\""));
        let points: Vec<Vec<f64>> = text.lines().skip(6).map(numbers).collect();
        assert!(points.len() == 6 && points.iter().all(|point| point.len() == 10));
        assert!((points[3][2] - 0.15).abs() < 1e-9 && (points[3][3] - 0.15).abs() < 1e-9);
        assert_eq!((points[2][2], points[2][9]), (0.0, 0.0), "masked: no vector, not valid");
    }

    #[test]
    fn openpiv_reads_six_columns() {
        let text = encode_openpiv(&field(), &Scale::PIXELS);
        let lines: Vec<Vec<f64>> = text.lines().skip(1).map(numbers).collect();
        assert_eq!(text.lines().next(), Some("# x\ty\tu\tv\tflags\tmask"));
        assert!(lines.len() == 6 && lines.iter().all(|line| line.len() == 6));
        assert_eq!((lines[0][4], lines[0][5], lines[2][4], lines[2][5]), (0.0, 0.0, 0.0, 1.0));
        assert!(lines[2][2].is_nan());
    }
}
