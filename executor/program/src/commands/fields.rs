//! `terzetto fields`: statistics of measured fields, and fields for other programs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use terzetto_executor::{
    BoxError,
    results::{stem, write_atomic},
};
use terzetto_kernels::{
    PivError, VectorField,
    fields::{FieldStatistics, Pod, Scale, Spectrum},
    output::{decode, decode_scale, encode_openpiv, encode_pivlab, encode_tecplot, encode_vtk},
};
use terzetto_program::{
    params::ScaleSection,
    report::Report,
    results::{format_spectrum, list_results, modes_dataset, statistics_dataset},
};

use crate::commands::{
    args::{FieldsArgs, ScaleArgs},
    print_line,
    run::status::Status,
};

pub fn command(args: &FieldsArgs) -> Result<Status, BoxError> {
    let files = list_results(&args.folder)?;
    let given = given_scale(&args.scale)?;
    let scale = given.or_else(|| first_scale(&files)).unwrap_or(Scale::PIXELS);
    let out = args.out.clone().unwrap_or_else(|| args.folder.join("fields"));
    fs::create_dir_all(&out)
        .map_err(|error| format!("cannot make the folder `{}`: {error}", out.display()))?;
    let mut statistics = FieldStatistics::new();
    let mut report = Report::new(&args.folder.display().to_string(), scale);
    let mut pod = args.modes.map(Pod::new).transpose().map_err(of_command_line)?;
    let mut spectrum = args.spectrum.map(Spectrum::new).transpose().map_err(of_command_line)?;
    let mut failed = 0;
    // One field after the other: the memory is that of one, however long the series is.
    for file in &files {
        let added = read(file).and_then(|(field, own)| {
            if given.is_none() && own != scale {
                return Err(
                    "it has another scale than the results before: name one with --scale and --dt".into()
                );
            }
            statistics.add(&field)?;
            // The grid is that of the statistics, which was compared.
            pod.as_mut().map(|pod| pod.add(&field)).transpose()?;
            spectrum.as_mut().map(|spectrum| spectrum.add(&field)).transpose()?;
            Ok(field)
        });
        match added {
            Ok(field) => {
                let name = stem(file);
                report.add(&name, &field);
                if args.each {
                    export(&out, &name, &field, &scale)?;
                }
            }
            Err(error) => {
                log::error!("`{}`: {error}", file.display());
                failed += 1;
            }
        }
    }
    if statistics.fields() == 0 {
        return Err(format!("none of the {} results can be read", files.len()).into());
    }
    let mean = statistics.mean();
    export(&out, "mean", &mean, &scale)?;
    write(&out.join("statistics.nc"), &statistics_dataset(&statistics, &scale).encode()?)?;
    if let Some(pod) = pod {
        write_modes(pod, &files, &scale, &out)?;
    }
    if let (Some(spectrum), Some(segment)) = (spectrum, args.spectrum) {
        if spectrum.segments() == 0 {
            let count = statistics.fields();
            return Err(format!("--spectrum: {count} fields are fewer than one segment of {segment}").into());
        }
        if failed > 0 {
            log::warn!("the spectrum has gaps where results could not be read");
        }
        let text = format_spectrum(&spectrum.lines(), &scale, args.interval);
        write(&out.join("spectrum.csv"), text.as_bytes())?;
    }
    write(&out.join("report.html"), report.html(&mean).as_bytes())?;
    print_line(&format!("statistics of {} fields in {}", statistics.fields(), out.display()));
    Ok(if failed > 0 { Status::SomeFailed } else { Status::Done })
}

fn of_command_line(error: PivError) -> BoxError {
    format!("the command line: {error}").into()
}

/// Writes modes, and their coefficients, for which the fields are read once more.
fn write_modes(pod: Pod, files: &[PathBuf], scale: &Scale, out: &Path) -> Result<(), BoxError> {
    let mean = pod.mean();
    let modes = pod.finish();
    if modes.is_empty() {
        return Err("--modes: the fields do not differ, so that there is no mode".into());
    }
    let mut coefficients = Vec::new();
    // What cannot be read has been told before.
    for (field, _) in files.iter().filter_map(|file| read(file).ok()) {
        let of_field =
            modes.iter().map(|mode| mode.coefficient(&field, &mean)).collect::<Result<Vec<f64>, _>>();
        coefficients.extend(of_field);
    }
    write(&out.join("modes.nc"), &modes_dataset(&modes, &coefficients, scale).encode()?)
}

/// The scale of the options.
fn given_scale(args: &ScaleArgs) -> Result<Option<Scale>, BoxError> {
    let mut section = ScaleSection::default();
    args.apply(&mut section);
    section.validate().map_err(|invalid| invalid.of("the command line"))?;
    Ok(section.scale())
}

/// The scale of the first result that can be read.
fn first_scale(files: &[PathBuf]) -> Option<Scale> {
    files.iter().find_map(|file| decode_scale(&fs::read(file).ok()?).ok()).flatten()
}

fn read(file: &Path) -> Result<(VectorField, Scale), BoxError> {
    let bytes = fs::read(file)?;
    let field = decode(&bytes)?.last().cloned().ok_or("it holds no field")?;
    Ok((field, decode_scale(&bytes)?.unwrap_or(Scale::PIXELS)))
}

/// A field for ParaView, Tecplot, OpenPIV and PIVlab.
fn export(out: &Path, name: &str, field: &VectorField, scale: &Scale) -> Result<(), BoxError> {
    for (ending, text) in [
        ("vtk", encode_vtk(field, scale)),
        ("dat", encode_tecplot(field, scale)),
        ("txt", encode_openpiv(field, scale)),
    ] {
        write(&out.join(format!("{name}.{ending}")), text.as_bytes())?;
    }
    write(&out.join(format!("{name}.mat")), &encode_pivlab(field, scale))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BoxError> {
    write_atomic(path, bytes).map_err(|error| format!("cannot write `{}`: {error}", path.display()).into())
}
