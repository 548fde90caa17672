//! `terzetto fields`: statistics of measured fields, and fields for other programs.

use std::{fs, path::Path};

use terzetto_executor::{
    BoxError,
    results::{stem, write_atomic},
};
use terzetto_kernels::{
    VectorField,
    fields::{FieldStatistics, Scale},
    output::{decode, encode_openpiv, encode_tecplot, encode_vtk},
};
use terzetto_program::{
    report::Report,
    results::{list_results, statistics_dataset},
};

use crate::commands::{args::FieldsArgs, print_line, run::status::Status};

pub fn command(args: &FieldsArgs) -> Result<Status, BoxError> {
    let scale = Scale::new(args.scale.unwrap_or(1.0), args.dt.unwrap_or(1.0))
        .map_err(|error| format!("the command line: {error}"))?;
    let files = list_results(&args.folder)?;
    let out = args.out.clone().unwrap_or_else(|| args.folder.join("fields"));
    fs::create_dir_all(&out)
        .map_err(|error| format!("cannot make the folder `{}`: {error}", out.display()))?;
    let mut statistics = FieldStatistics::new();
    let mut report = Report::new(&args.folder.display().to_string(), scale);
    let mut failed = 0;
    // One field after the other: the memory is that of one, however long the series is.
    for file in &files {
        let added = read(file).and_then(|field| {
            statistics.add(&field)?;
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
    write(&out.join("report.html"), report.html(&mean).as_bytes())?;
    print_line(&format!("statistics of {} fields in {}", statistics.fields(), out.display()));
    Ok(if failed > 0 { Status::SomeFailed } else { Status::Done })
}

fn read(file: &Path) -> Result<VectorField, BoxError> {
    let result = decode(&fs::read(file)?)?;
    Ok(result.last().cloned().ok_or("it holds no field")?)
}

/// A field for ParaView, Tecplot and OpenPIV.
fn export(out: &Path, name: &str, field: &VectorField, scale: &Scale) -> Result<(), BoxError> {
    for (ending, text) in [
        ("vtk", encode_vtk(field, scale)),
        ("dat", encode_tecplot(field, scale)),
        ("txt", encode_openpiv(field, scale)),
    ] {
        write(&out.join(format!("{name}.{ending}")), text.as_bytes())?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BoxError> {
    write_atomic(path, bytes).map_err(|error| format!("cannot write `{}`: {error}", path.display()).into())
}
