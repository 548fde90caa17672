//! A PIV result as a NetCDF dataset and back.
//!
//! Each pass has its own grid: `x_pass0(x_pass0)`, `y_pass0(y_pass0)`, and on it `dx_pass0(y_pass0, x_pass0)`,
//! `dy_…`, `correlation_…`, `peak_ratio_…`, `flags_…`. The field to use has names without a pass: `x`, `y`, `dx`,
//! `dy`, `flags`. Masked vectors have no value (NaN) in `dx` and `dy`, and so in a plot.

use super::{
    OutputError,
    netcdf::{Dataset, Values, Variable},
};
use crate::{
    field::{Flags, Vector, VectorField},
    multipass::{MultipassParams, PivResult},
};

/// What a file says of itself besides its numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Description {
    /// The couple's name.
    pub couple: String,
    /// The names of the images.
    pub images: [String; 2],
    /// All parameters as a text, such as the TOML of the program that computed the result.
    pub parameters: String,
}

/// A result as the bytes of a NetCDF file.
///
/// ```
/// use terzetto_kernels::{MultipassParams, MultipassPlan, Flow, SynthParams, synth_couple};
/// use terzetto_kernels::output::{Description, decode, encode};
///
/// let scene = SynthParams { width: 96, height: 96, ..SynthParams::default() };
/// let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 2.0, dy: 1.0 }, 0)?;
/// let params = MultipassParams::zoom(32, 2);
/// let result = MultipassPlan::new(&params, 96, 96)?.compute(&first, &second)?;
/// let bytes = encode(&result, &params, &Description::default())?;
/// assert_eq!(decode(&bytes)?.passes.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`OutputError::TooLarge`] beyond 2 GiB.
pub fn encode(
    result: &PivResult,
    params: &MultipassParams,
    description: &Description,
) -> Result<Vec<u8>, OutputError> {
    let mut data = Dataset::default();
    let text = |name: &str, value: &str| (name.to_owned(), Values::from(value));
    data.attributes = vec![
        text("Conventions", "CF-1.8"),
        text("title", "Displacement of the pattern from image 0 to image 1, by particle image velocimetry"),
        text("source", concat!("terzetto ", env!("CARGO_PKG_VERSION"))),
        text("couple", &description.couple),
        text("image_0", &description.images[0]),
        text("image_1", &description.images[1]),
        text("axes", "x to the right, y downwards; the centre of the upper left pixel is at (0, 0)"),
        text("parameters", &description.parameters),
        ("passes".to_owned(), Values::Ints(vec![result.passes.len() as i32])),
    ];
    if let Some(last) = result.last() {
        add_field(&mut data, last, "", &[]);
    }
    for (index, field) in result.passes.iter().enumerate() {
        let choices: Vec<(String, Values)> = params.passes.get(index).map_or(Vec::new(), |pass| {
            vec![
                ("window".to_owned(), Values::Ints(vec![pass.window as i32])),
                ("overlap".to_owned(), Values::Doubles(vec![pass.overlap])),
                ("correlation_method".to_owned(), Values::from(pass.correlation.name())),
                ("subpixel_method".to_owned(), Values::from(pass.subpixel.method.name())),
            ]
        });
        add_field(&mut data, field, &format!("_pass{index}"), &choices);
    }
    data.encode()
}

fn add_field(data: &mut Dataset, field: &VectorField, suffix: &str, choices: &[(String, Values)]) {
    let [y, x] = [("y", field.ny), ("x", field.nx)]
        .map(|(axis, count)| data.add_dimension(format!("{axis}{suffix}"), count));
    let mut add = |name: &str, dimensions: &[usize], attributes: Vec<(&str, Values)>, values| {
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let name = format!("{name}{suffix}");
        data.variables.push(Variable { name, dimensions: dimensions.to_vec(), attributes, values });
    };
    let about =
        |units: &str, name: &str| vec![("units", Values::from(units)), ("long_name", Values::from(name))];
    let first_row = field.vectors.iter().take(field.nx);
    add(
        "x",
        &[x],
        about("pixel", "column of the window's centre"),
        Values::Doubles(first_row.map(|v| v.x).collect()),
    );
    let first_column = field.vectors.iter().step_by(field.nx.max(1));
    add(
        "y",
        &[y],
        about("pixel", "row of the window's centre"),
        Values::Doubles(first_column.map(|v| v.y).collect()),
    );

    let floats = |value: &dyn Fn(&Vector) -> f64| {
        Values::Floats(field.vectors.iter().map(|vector| value(vector) as f32).collect())
    };
    let unless_masked = |vector: &Vector, value: f64| {
        if vector.flags.contains(Flags::MASKED) { f64::NAN } else { value }
    };
    let nan = || ("_FillValue", Values::Floats(vec![f32::NAN]));
    let mut of_dx = about("pixel", "displacement to the right");
    of_dx.push(nan());
    of_dx.extend(choices.iter().map(|(name, value)| (name.as_str(), value.clone())));
    add("dx", &[y, x], of_dx, floats(&|v| unless_masked(v, v.dx)));
    let mut of_dy = about("pixel", "displacement downwards");
    of_dy.push(nan());
    add("dy", &[y, x], of_dy, floats(&|v| unless_masked(v, v.dy)));
    add("correlation", &[y, x], about("1", "normalised correlation at the peak"), floats(&|v| v.correlation));
    add("peak_ratio", &[y, x], about("1", "highest peak over the second"), floats(&|v| v.peak_ratio));
    let masks = Flags::ALL.iter().map(|(flag, _)| flag.bits() as i16).collect();
    let names: Vec<&str> = Flags::ALL.iter().map(|(_, name)| *name).collect();
    let of_flags = vec![
        ("long_name", Values::from("what is wrong with the vector; 0 if nothing is")),
        ("flag_masks", Values::Shorts(masks)),
        ("flag_meanings", Values::Text(names.join(" "))),
    ];
    let flags = field.vectors.iter().map(|vector| vector.flags.bits() as i16).collect();
    add("flags", &[y, x], of_flags, Values::Shorts(flags));
}

/// The result in the bytes of a file that [`encode`] made. Numbers have single precision; masked vectors are NaN.
///
/// # Errors
/// [`OutputError::Format`] for bytes that are no NetCDF file, [`OutputError::Missing`] for one without a result.
pub fn decode(bytes: &[u8]) -> Result<PivResult, OutputError> {
    let data = Dataset::decode(bytes)?;
    let mut passes = Vec::new();
    while data.variable(&format!("dx_pass{}", passes.len())).is_some() {
        passes.push(field(&data, &format!("_pass{}", passes.len()))?);
    }
    let last = field(&data, "")?;
    let bits = |field: &VectorField| -> Vec<[u64; 2]> {
        field.vectors.iter().map(|v| [v.dx.to_bits(), v.dy.to_bits()]).collect()
    };
    let is_smoothed = passes.last().is_none_or(|pass| bits(pass) != bits(&last));
    Ok(PivResult { passes, smoothed: is_smoothed.then_some(last) })
}

fn field(data: &Dataset, suffix: &str) -> Result<VectorField, OutputError> {
    let values = |name: &str| {
        let name = format!("{name}{suffix}");
        let values = data.variable(&name).and_then(|variable| variable.values.to_f64());
        values.ok_or(OutputError::Missing { name })
    };
    let (xs, ys) = (values("x")?, values("y")?);
    let [dx, dy, correlation, peak_ratio, flags] =
        [values("dx")?, values("dy")?, values("correlation")?, values("peak_ratio")?, values("flags")?];
    let count = xs.len() * ys.len();
    if [&dx, &dy, &correlation, &peak_ratio, &flags].iter().any(|values| values.len() != count) {
        return Err(OutputError::Missing { name: format!("dx{suffix}") });
    }
    let vectors = (0..count)
        .map(|index| Vector {
            x: xs[index % xs.len()],
            y: ys[index / xs.len()],
            dx: dx[index],
            dy: dy[index],
            correlation: correlation[index],
            peak_ratio: peak_ratio[index],
            flags: Flags::from_bits(flags[index] as u16),
        })
        .collect();
    Ok(VectorField { nx: xs.len(), ny: ys.len(), vectors })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(nx: usize, ny: usize, shift: f64) -> VectorField {
        let vector = |index: usize| Vector {
            x: 15.5 + 16.0 * (index % nx) as f64,
            y: 15.5 + 16.0 * (index / nx) as f64,
            dx: shift + index as f64 * 0.25,
            dy: -1.5,
            correlation: 0.75,
            peak_ratio: f64::INFINITY,
            flags: if index == 1 { Flags::LOW_CORRELATION | Flags::REPLACED } else { Flags::default() },
        };
        VectorField { nx, ny, vectors: (0..nx * ny).map(vector).collect() }
    }

    #[test]
    fn results_survive_with_and_without_smoothing() {
        let params = MultipassParams::zoom(32, 2);
        for smoothed in [None, Some(sample(7, 5, 0.5))] {
            let result = PivResult { passes: vec![sample(3, 2, 0.0), sample(7, 5, 1.0)], smoothed };
            let bytes = encode(&result, &params, &Description::default()).unwrap();
            assert_eq!(decode(&bytes).unwrap(), result);
        }
    }

    #[test]
    fn masked_vectors_have_no_value_and_others_keep_theirs() {
        let mut field = sample(3, 2, 0.0);
        field.vectors[4].flags = Flags::MASKED;
        let result = PivResult { passes: vec![field], smoothed: None };
        let bytes = encode(&result, &MultipassParams::default(), &Description::default()).unwrap();
        let read = decode(&bytes).unwrap();
        assert!(read.passes[0].vectors[4].dx.is_nan());
        assert_eq!(read.passes[0].vectors[3], result.passes[0].vectors[3]);
        assert_eq!(read.smoothed, None);
    }

    #[test]
    fn other_files_are_told_apart() {
        let empty = Dataset::default().encode().unwrap();
        assert!(matches!(decode(&empty), Err(OutputError::Missing { .. })));
        assert!(matches!(decode(b"\x89HDF\r\n"), Err(OutputError::Format { .. })));
    }
}
