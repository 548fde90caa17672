//! A PIV result as a NetCDF dataset and back.
//!
//! Each pass has its own grid: `x_pass0(x_pass0)`, `y_pass0(y_pass0)`, and on it `dx_pass0(y_pass0, x_pass0)`,
//! `dy_…`, `correlation_…`, `peak_ratio_…`, `flags_…`. The field to use has names without a pass: `x`, `y`, `dx`,
//! `dy`, `flags`. Masked vectors have no value (NaN) in `dx` and `dy`, and so in a plot.
//!
//! Files follow the CF conventions (*NetCDF Climate and Forecast Metadata Conventions* 1.8): `x` and `y` are coordinate
//! variables, units are those that UDUNITS knows (it knows no pixels, which are `1`), and `flags` has the standard name
//! `quality_flag`. Displacements of patterns have no standard name, and so have a `long_name` only. `history` has no
//! time: the same images and parameters give the same bytes, by which results are compared.
//!
//! With a scale there are `u` and `v` too, velocities in m/s to the right and upwards, and `position_x`, `position_y`
//! in m.

use super::{
    OutputError,
    netcdf::{Dataset, Values, Variable},
};
use crate::{
    field::{Flags, Vector, VectorField},
    fields::Scale,
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
    /// The length of a pixel in metres, and the time between the images in seconds, if they are known.
    pub scale: Option<Scale>,
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
        text("source", PROGRAM),
        text("history", &history(params, description)),
        text("references", REFERENCES),
        text("couple", &description.couple),
        text("image_0", &description.images[0]),
        text("image_1", &description.images[1]),
        text("axes", "x to the right, y downwards; the centre of the upper left pixel is at (0, 0)"),
        text("parameters", &description.parameters),
        ("passes".to_owned(), Values::Ints(vec![result.passes.len() as i32])),
    ];
    if let Some(last) = result.last() {
        add_field(&mut data, last, "", &[]);
        if result.uncertainty.len() == last.vectors.len() {
            add_uncertainty(&mut data, &result.uncertainty);
        }
        if let Some(scale) = &description.scale {
            add_velocities(&mut data, last, scale);
        }
    }
    for (index, field) in result.passes.iter().enumerate() {
        let choices: Vec<(String, Values)> = params.passes.get(index).map_or(Vec::new(), |pass| {
            // One number for a square, columns and rows for a rectangle.
            let sides = [Some(pass.window), pass.window_height];
            let sides = sides.into_iter().flatten().map(|side| side as i32).collect();
            vec![
                ("window".to_owned(), Values::Ints(sides)),
                ("overlap".to_owned(), Values::Doubles(vec![pass.overlap])),
                ("correlation_method".to_owned(), Values::from(pass.correlation.name())),
                ("subpixel_method".to_owned(), Values::from(pass.subpixel.method.name())),
            ]
        });
        add_field(&mut data, field, &format!("_pass{index}"), &choices);
    }
    data.encode()
}

/// Pixels are counted: UDUNITS has no unit of this name, and CF asks for `1` then. The `long_name` says what is
/// counted.
const PIXELS: &str = "1";

const PROGRAM: &str = concat!("terzetto ", env!("CARGO_PKG_VERSION"));

/// The method, for those who read a file without its program.
const REFERENCES: &str = "Raffel et al. (2018), Particle Image Velocimetry, doi:10.1007/978-3-319-68852-7; Westerweel and \
    Scarano (2005), Universal outlier detection for PIV data, doi:10.1007/s00348-005-0016-6";

/// What was done, in one line: NetCDF users look for it in this attribute.
fn history(params: &MultipassParams, description: &Description) -> String {
    let windows: Vec<String> = params.passes.iter().map(|pass| pass.window.to_string()).collect();
    let [first, second] = &description.images;
    format!("{PROGRAM}: windows of {} px correlated between {first} and {second}", windows.join(", "))
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
        about(PIXELS, "column of the window's centre, pixels"),
        Values::Doubles(first_row.map(|v| v.x).collect()),
    );
    let first_column = field.vectors.iter().step_by(field.nx.max(1));
    add(
        "y",
        &[y],
        about(PIXELS, "row of the window's centre, downwards, pixels"),
        Values::Doubles(first_column.map(|v| v.y).collect()),
    );

    let floats = |value: &dyn Fn(&Vector) -> f64| {
        Values::Floats(field.vectors.iter().map(|vector| value(vector) as f32).collect())
    };
    let unless_masked = |vector: &Vector, value: f64| {
        if vector.flags.contains(Flags::MASKED) { f64::NAN } else { value }
    };
    let nan = || ("_FillValue", Values::Floats(vec![f32::NAN]));
    let mut of_dx = about(PIXELS, "displacement to the right, pixels");
    of_dx.push(nan());
    of_dx.extend(choices.iter().map(|(name, value)| (name.as_str(), value.clone())));
    add("dx", &[y, x], of_dx, floats(&|v| unless_masked(v, v.dx)));
    let mut of_dy = about(PIXELS, "displacement downwards, pixels");
    of_dy.push(nan());
    add("dy", &[y, x], of_dy, floats(&|v| unless_masked(v, v.dy)));
    add("correlation", &[y, x], about("1", "normalised correlation at the peak"), floats(&|v| v.correlation));
    add("peak_ratio", &[y, x], about("1", "highest peak over the second"), floats(&|v| v.peak_ratio));
    let masks = Flags::ALL.iter().map(|(flag, _)| flag.bits() as i16).collect();
    let names: Vec<&str> = Flags::ALL.iter().map(|(_, name)| *name).collect();
    let of_flags = vec![
        ("standard_name", Values::from("quality_flag")),
        ("long_name", Values::from("what is wrong with the vector; 0 if nothing is")),
        ("flag_masks", Values::Shorts(masks)),
        ("flag_meanings", Values::Text(names.join(" "))),
    ];
    let flags = field.vectors.iter().map(|vector| vector.flags.bits() as i16).collect();
    add("flags", &[y, x], of_flags, Values::Shorts(flags));
}

/// The names of displacements, and of their uncertainties.
const UNCERTAINTIES: [(&str, &str); 2] = [("dx", "dx_uncertainty"), ("dy", "dy_uncertainty")];

/// The uncertainty of the displacements of the last pass, which CF calls ancillary variables of these.
fn add_uncertainty(data: &mut Dataset, uncertainty: &[[f64; 2]]) {
    for (index, (of, name)) in UNCERTAINTIES.into_iter().enumerate() {
        let Some(variable) = data.variables.iter_mut().find(|variable| variable.name == of) else { return };
        variable.attributes.push(("ancillary_variables".to_owned(), Values::from(name)));
        let dimensions = variable.dimensions.clone();
        let attributes = vec![
            ("units".to_owned(), Values::from(PIXELS)),
            ("long_name".to_owned(), Values::Text(format!("standard deviation of {of}, pixels"))),
            ("references".to_owned(), Values::from("Wieneke (2015), doi:10.1088/0957-0233/26/7/074002")),
            ("_FillValue".to_owned(), Values::Floats(vec![f32::NAN])),
        ];
        let values = Values::Floats(uncertainty.iter().map(|deviations| deviations[index] as f32).collect());
        data.variables.push(Variable { name: name.to_owned(), dimensions, attributes, values });
    }
}

/// What the scale makes of the field to use. As in text files for other programs, y points upwards, and the lowest
/// window stands as far above zero as the uppermost below the border.
fn add_velocities(data: &mut Dataset, field: &VectorField, scale: &Scale) {
    for (name, value) in [(PIXEL_SIZE, scale.pixel()), (DT, scale.dt())] {
        data.attributes.push((name.to_owned(), Values::Doubles(vec![value])));
    }
    let place = |name: &str| data.dimensions.iter().position(|(dimension, _)| dimension == name);
    let (Some(x), Some(y)) = (place("x"), place("y")) else { return };
    let mut add = |name: &str, dimensions: &[usize], units: &str, about: &str, values| {
        let mut attributes = vec![("units", Values::from(units)), ("long_name", Values::from(about))];
        if dimensions.len() == 2 {
            attributes.push(("coordinates", Values::from("position_y position_x")));
            attributes.push(("_FillValue", Values::Floats(vec![f32::NAN])));
        }
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        data.variables.push(Variable {
            name: name.to_owned(),
            dimensions: dimensions.to_vec(),
            attributes,
            values,
        });
    };
    let columns = field.vectors.iter().take(field.nx).map(|vector| scale.length(vector.x)).collect();
    add("position_x", &[x], "m", "place of the window's centre, to the right", Values::Doubles(columns));
    let ends = [field.vectors.first(), field.vectors.last()];
    let sum: f64 = ends.iter().flatten().map(|vector| vector.y).sum();
    let rows =
        field.vectors.iter().step_by(field.nx.max(1)).map(|vector| scale.length(sum - vector.y)).collect();
    add("position_y", &[y], "m", "place of the window's centre, upwards", Values::Doubles(rows));
    let velocities = |value: fn(&Vector) -> f64| {
        let velocity = |vector: &Vector| scale.velocity(value(vector)) as f32;
        Values::Floats(field.vectors.iter().map(velocity).collect())
    };
    add("u", &[y, x], "m s-1", "velocity to the right", velocities(|vector| vector.dx));
    add("v", &[y, x], "m s-1", "velocity upwards", velocities(|vector| -vector.dy));
}

/// The attributes that hold the scale.
const PIXEL_SIZE: &str = "pixel_size";
const DT: &str = "dt";

/// The scale that a file was written with, in metres and seconds; none if results are in pixels.
///
/// # Errors
/// [`OutputError::Format`] for bytes that are no NetCDF file.
pub fn decode_scale(bytes: &[u8]) -> Result<Option<Scale>, OutputError> {
    let data = Dataset::decode(bytes)?;
    let number = |name: &str| {
        let (_, value) = data.attributes.iter().find(|(found, _)| found == name)?;
        value.to_f64()?.first().copied()
    };
    Ok(number(PIXEL_SIZE).zip(number(DT)).and_then(|(pixel, dt)| Scale::new(pixel, dt).ok()))
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
    let deviations = |name: &str| data.variable(name).and_then(|variable| variable.values.to_f64());
    let [along_x, along_y] = UNCERTAINTIES.map(|(_, name)| deviations(name).unwrap_or_default());
    let uncertainty = along_x.into_iter().zip(along_y).map(|(dx, dy)| [dx, dy]).collect();
    Ok(PivResult { passes, smoothed: is_smoothed.then_some(last), uncertainty })
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
            let result = PivResult {
                passes: vec![sample(3, 2, 0.0), sample(7, 5, 1.0)],
                smoothed,
                uncertainty: Vec::new(),
            };
            let bytes = encode(&result, &params, &Description::default()).unwrap();
            assert_eq!(decode(&bytes).unwrap(), result);
        }
    }

    #[test]
    fn masked_vectors_have_no_value_and_others_keep_theirs() {
        let mut field = sample(3, 2, 0.0);
        field.vectors[4].flags = Flags::MASKED;
        let result = PivResult { passes: vec![field], smoothed: None, uncertainty: Vec::new() };
        let bytes = encode(&result, &MultipassParams::default(), &Description::default()).unwrap();
        let read = decode(&bytes).unwrap();
        assert!(read.passes[0].vectors[4].dx.is_nan());
        assert_eq!(read.passes[0].vectors[3], result.passes[0].vectors[3]);
        assert_eq!(read.smoothed, None);
    }

    #[test]
    fn piv_13_a_scale_adds_velocities_with_y_upwards_and_is_read_again() {
        let result = PivResult { passes: vec![sample(3, 2, 0.0)], smoothed: None, uncertainty: Vec::new() };
        let scale = Scale::new(2e-5, 1e-3).unwrap();
        let description = Description { scale: Some(scale), ..Description::default() };
        let bytes = encode(&result, &MultipassParams::default(), &description).unwrap();
        assert_eq!(decode_scale(&bytes).unwrap(), Some(scale));
        assert_eq!(decode(&bytes).unwrap().passes, result.passes, "the rest is as without a scale");
        let data = Dataset::decode(&bytes).unwrap();
        let values = |name: &str| data.variable(name).unwrap().values.to_f64().unwrap();
        assert!((values("v")[0] - 1.5 * 0.02).abs() < 1e-8 && (values("u")[4] - 0.02).abs() < 1e-8);
        let rows = values("position_y");
        assert!(
            rows[0] > rows[1] && (rows[1] - 15.5 * 2e-5).abs() < 1e-12,
            "the lowest row is the last: {rows:?}"
        );
        let plain = encode(&result, &MultipassParams::default(), &Description::default()).unwrap();
        assert_eq!(decode_scale(&plain).unwrap(), None);
    }

    #[test]
    fn piv_13_files_say_what_conventions_they_follow_and_what_was_done() {
        let description = Description { images: ["a.png".into(), "b.png".into()], ..Description::default() };
        let result = PivResult { passes: vec![sample(3, 2, 0.0)], smoothed: None, uncertainty: Vec::new() };
        let bytes = encode(&result, &MultipassParams::default(), &description).unwrap();
        let data = Dataset::decode(&bytes).unwrap();
        let text = |name: &str| match &data.attributes.iter().find(|(found, _)| found == name).unwrap().1 {
            Values::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text("Conventions"), "CF-1.8");
        assert!(text("history").contains("windows of 32 px") && text("history").contains("a.png and b.png"));
        for variable in &data.variables {
            let has = |name: &str| variable.attributes.iter().any(|(found, _)| found == name);
            assert!(has("long_name") && (has("units") || has("flag_masks")), "{}", variable.name);
        }
        assert_eq!(
            bytes,
            encode(&result, &MultipassParams::default(), &description).unwrap(),
            "no time in it"
        );
    }

    #[test]
    fn other_files_are_told_apart() {
        let empty = Dataset::default().encode().unwrap();
        assert!(matches!(decode(&empty), Err(OutputError::Missing { .. })));
        assert!(matches!(decode(b"\x89HDF\r\n"), Err(OutputError::Format { .. })));
    }
}
