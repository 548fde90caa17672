//! Modes and spectra of a series as files.

use std::fmt::Write;

use terzetto_kernels::{
    fields::{Mode, Scale, SpectralLine},
    output::netcdf::{Dataset, Values, Variable},
};

/// The modes of a series as NetCDF: their patterns, energies, and the coefficient of each in each field. `coefficients`
/// has a list for each field, in the order of the series. Patterns have the unit length 1, and y upwards; coefficients
/// and energies have the units of a scale.
pub fn modes_dataset(modes: &[Mode], coefficients: &[Vec<f64>], scale: &Scale) -> Dataset {
    let text = |name: &str, value: &str| (name.to_owned(), Values::from(value));
    let [velocity, energy] = if scale.is_pixels() { ["1", "1"] } else { ["m s-1", "m2 s-2"] };
    let mut data = Dataset {
        attributes: vec![
            text("Conventions", "CF-1.8"),
            text("title", "Modes of the proper orthogonal decomposition of a series of displacement fields"),
            text("source", crate::PROGRAM),
            text("history", &format!("{}: modes of {} results", crate::PROGRAM, coefficients.len())),
            text("references", "Sirovich (1987), doi:10.1090/qam/910462"),
        ],
        ..Dataset::default()
    };
    let Some(first) = modes.first().map(|mode| &mode.field) else { return data };
    let sizes = [("mode", modes.len()), ("field", coefficients.len()), ("y", first.ny), ("x", first.nx)];
    let [mode, field, y, x] = sizes.map(|(name, length)| data.add_dimension(name, length));
    let mut add = |name: &str, about: &str, units: &str, dimensions: &[usize], values: Vec<f64>| {
        let attributes = vec![text("long_name", about), text("units", units)];
        let (name, dimensions) = (name.to_owned(), dimensions.to_vec());
        data.variables.push(Variable { name, dimensions, attributes, values: Values::Doubles(values) });
    };
    let columns = first.vectors.iter().take(first.nx).map(|vector| vector.x).collect();
    let rows = first.vectors.iter().step_by(first.nx.max(1)).map(|vector| vector.y).collect();
    add("x", "column of the window's centre, pixels", "1", &[x], columns);
    add("y", "row of the window's centre, downwards, pixels", "1", &[y], rows);
    let squared = |value: f64| scale.velocity(scale.velocity(value));
    let energies = modes.iter().map(|mode| squared(mode.energy)).collect();
    add("energy", "mean square of the coefficient", energy, &[mode], energies);
    add(
        "share",
        "share of the energy of all fluctuations",
        "1",
        &[mode],
        modes.iter().map(|mode| mode.share).collect(),
    );
    let vectors = || modes.iter().flat_map(|mode| &mode.field.vectors);
    add("u", "pattern, to the right", "1", &[mode, y, x], vectors().map(|vector| vector.dx).collect());
    add("v", "pattern, upwards", "1", &[mode, y, x], vectors().map(|vector| -vector.dy).collect());
    let values = coefficients.iter().flatten().map(|&value| scale.velocity(value)).collect();
    add("coefficient", "how much of the mode a field has", velocity, &[field, mode], values);
    data
}

/// A spectrum as text, in the units of a scale: with `interval`, the time from one field to the next, frequencies are
/// in cycles a second, else in cycles from field to field.
pub fn format_spectrum(lines: &[SpectralLine], scale: &Scale, interval: Option<f64>) -> String {
    let step = interval.unwrap_or(1.0);
    let (velocity, frequency) = (
        if scale.is_pixels() { "px" } else { "m/s" },
        if interval.is_some() { "Hz" } else { "cycles per field" },
    );
    let mut text = format!(
        "# spectrum over time, mean of all places, Welch 1967\n# frequency: {frequency}\n\
         # uu, vv: power spectral densities of u and v, ({velocity})^2 / ({frequency})\nfrequency,uu,vv\n"
    );
    let squared = |value: f64| scale.velocity(scale.velocity(value)) * step;
    for line in lines {
        // Writing into a string cannot fail.
        let _ =
            writeln!(text, "{:.9e},{:.9e},{:.9e}", line.frequency / step, squared(line.dx), squared(line.dy));
    }
    text
}
