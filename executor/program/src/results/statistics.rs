//! The results of a series, and their statistics as a file.

use std::{
    error::Error,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use terzetto_executor::results::file_name;
use terzetto_kernels::{
    fields::{FieldStatistics, NodeStatistics, Scale, derivatives},
    output::netcdf::{Dataset, Values, Variable},
};

use crate::series::natural_order;

/// The results of a folder cannot be listed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResultsError {
    /// The folder cannot be read.
    Folder(PathBuf, io::Error),
    /// The folder holds no NetCDF results.
    None(PathBuf),
}

impl fmt::Display for ResultsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResultsError::Folder(path, error) => write!(f, "cannot list `{}`: {error}", path.display()),
            ResultsError::None(path) => write!(
                f,
                "`{}` holds no result piv_*.nc or bos_*.nc: name a folder for results, of a run with --format netcdf",
                path.display()
            ),
        }
    }
}

impl Error for ResultsError {}

/// The NetCDF results in a folder, in the natural order of their names.
///
/// # Errors
/// The folder cannot be read, or holds no result.
pub fn list_results(folder: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    let failed = |error| ResultsError::Folder(folder.to_owned(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = file_name(&path);
        if (name.starts_with("piv_") || name.starts_with("bos_")) && name.ends_with(".nc") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(ResultsError::None(folder.to_owned()));
    }
    files.sort_by(|a, b| natural_order(&file_name(a), &file_name(b)));
    Ok(files)
}

/// Mean, fluctuations and Reynolds stresses as NetCDF, with a scale in metres and seconds, or in pixels, with y upwards
/// as in physical systems: `v` and `uv` have their signs.
pub fn statistics_dataset(statistics: &FieldStatistics, scale: &Scale) -> Dataset {
    let text = |name: &str, value: &str| (name.to_owned(), Values::from(value));
    // Pixels are counted, which is `1` for UDUNITS.
    let [velocity, stress, rate, counted] = match scale.is_pixels() {
        true => ["1", "1", "1", ", pixels a couple"],
        false => ["m s-1", "m2 s-2", "s-1", ""],
    };
    let mut data = Dataset {
        attributes: vec![
            text("Conventions", "CF-1.8"),
            text("title", "Statistics of a series of displacement fields"),
            text("source", crate::PROGRAM),
            text("history", &format!("{}: statistics of {} results", crate::PROGRAM, statistics.fields())),
            text(
                "axes",
                "x to the right, y of the places downwards in pixels; v and vorticity with y upwards",
            ),
            ("fields".to_owned(), Values::Ints(vec![i32::try_from(statistics.fields()).unwrap_or(i32::MAX)])),
        ],
        ..Dataset::default()
    };
    let (nx, ny) = statistics.grid().unwrap_or_default();
    let [y, x] = [("y", ny), ("x", nx)].map(|(name, count)| data.add_dimension(name.to_owned(), count));
    let nodes: Vec<NodeStatistics> = statistics.nodes().collect();
    let mut add = |name: &str, about: &str, units: &str, dimensions: &[usize], values: Values| {
        let attributes = vec![text("long_name", about), text("units", units)];
        data.variables.push(Variable {
            name: name.to_owned(),
            dimensions: dimensions.to_vec(),
            attributes,
            values,
        });
    };
    let columns = nodes.iter().take(nx).map(|node| node.x).collect();
    let rows = nodes.iter().step_by(nx.max(1)).map(|node| node.y).collect();
    add("x", "column of the window's centre, pixels", "1", &[x], Values::Doubles(columns));
    add("y", "row of the window's centre, downwards, pixels", "1", &[y], Values::Doubles(rows));
    let both = [y, x];
    let squared = |value: f64| scale.velocity(scale.velocity(value));
    let quantities: [Quantity<'_>; 8] = [
        ("u", "mean to the right", velocity, &|node| scale.velocity(node.mean_dx)),
        ("v", "mean upwards", velocity, &|node| scale.velocity(-node.mean_dy)),
        ("u_rms", "root of the mean squared fluctuation to the right", velocity, &|node| {
            scale.velocity(node.rms_dx())
        }),
        ("v_rms", "root of the mean squared fluctuation upwards", velocity, &|node| {
            scale.velocity(node.rms_dy())
        }),
        ("uu", "Reynolds stress", stress, &|node| squared(node.stress_xx)),
        ("vv", "Reynolds stress", stress, &|node| squared(node.stress_yy)),
        ("uv", "Reynolds stress", stress, &|node| squared(-node.stress_xy)),
        ("kinetic_energy", "of the fluctuations in the plane", stress, &|node| {
            squared(node.kinetic_energy())
        }),
    ];
    for (name, about, units, value) in quantities {
        let about = format!("{about}{counted}");
        add(name, &about, units, &both, Values::Doubles(nodes.iter().map(value).collect()));
    }
    let found = derivatives(&statistics.mean(), false);
    let vorticity = found.iter().map(|point| scale.rate(point.vorticity())).collect();
    add("vorticity", "of the mean, counter-clockwise", rate, &both, Values::Doubles(vorticity));
    let counts = nodes.iter().map(|node| i32::try_from(node.count).unwrap_or(i32::MAX)).collect();
    add("count", "valid vectors", "1", &both, Values::Ints(counts));
    data
}

/// Name, meaning, units and value of what is written of each place.
type Quantity<'a> = (&'a str, &'a str, &'a str, &'a dyn Fn(&NodeStatistics) -> f64);
