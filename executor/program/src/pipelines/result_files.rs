//! The contents of the files of a couple.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use terzetto_executor::{BoxError, Key};
use terzetto_kernels::{
    Image, MultipassParams, PassParams, PivResult, VectorField,
    fields::Scale,
    output::{Description, encode},
};

use super::{Task, picture};
use crate::{
    params::{Format, PlotKind},
    results::{FieldFile, Row, format_csv},
};

/// What all couples have in common in their files.
pub(super) struct FileContents {
    pub task: Task,
    pub params: MultipassParams,
    pub scale: Option<Scale>,
    /// All parameters, TOML.
    pub params_toml: String,
    pub formats: Vec<Format>,
    pub plots: Vec<PlotKind>,
}

/// A computed field and the image that it is drawn over.
pub(super) struct ComputedField {
    pub result: PivResult,
    pub image: Arc<Image>,
}

/// Files in the order in which they are written: the end of the name, and the bytes.
pub(super) type Files = Vec<(String, Vec<u8>)>;

impl FileContents {
    /// All files of a couple. Files of numbers come last.
    pub fn files(
        &self,
        couple: &Key,
        images: &[PathBuf],
        measured: &ComputedField,
    ) -> Result<Files, BoxError> {
        // Of an ensemble, the first image and the last one.
        let (Some(first), Some(last)) = (images.first(), images.last()) else {
            return Err("a field of no images".into());
        };
        let images = &[first.clone(), last.clone()];
        let field = measured.result.last().ok_or("no pass was computed")?;
        let mut files = Files::new();
        for &kind in &self.plots {
            files.push((
                kind.suffix().to_owned(),
                picture(kind, couple, &self.params, field, &measured.image)?,
            ));
        }
        // The text comes last, because it is what people look for.
        let mut formats = self.formats.clone();
        formats.sort_by_key(|format| *format == Format::Csv);
        for format in formats {
            let bytes = match format {
                Format::Csv => {
                    let mut file = field_file(self.task, couple, images, &self.params, &measured.result);
                    if let Some(scale) = &self.scale {
                        add_velocities(&mut file, scale);
                    }
                    format_csv(&file).into_bytes()
                }
                Format::Netcdf => encode(&measured.result, &self.params, &self.description(couple, images))?,
            };
            files.push((format!(".{}", format.ending()), bytes));
        }
        Ok(files)
    }

    fn description(&self, couple: &Key, images: &[PathBuf; 2]) -> Description {
        let name = |path: &Path| path.display().to_string();
        Description {
            couple: couple.as_str().to_owned(),
            images: [name(&images[0]), name(&images[1])],
            parameters: self.params_toml.clone(),
            scale: self.scale,
        }
    }
}

/// The field of the last pass, with the comments of its file.
pub fn field_file(
    task: Task,
    couple: &Key,
    images: &[PathBuf; 2],
    params: &MultipassParams,
    result: &PivResult,
) -> FieldFile {
    let line = |name: &str, value: String| (name.to_owned(), value);
    let nothing = VectorField::default();
    let field = result.last().unwrap_or(&nothing);
    let what = match result.smoothed {
        Some(_) => "smoothed by thin-plate splines",
        None => "as measured, but for flagged ones",
    };
    let mut header = vec![
        line("vector field", format!("{} {couple}", task.noun())),
        line("image 0", images[0].display().to_string()),
        line("image 1", images[1].display().to_string()),
        line("program", crate::PROGRAM.to_owned()),
        line("window", format!("{} px", each_pass(params, window_text))),
        line("overlap", each_pass(params, |pass| pass.overlap.to_string())),
        line("grid", format!("{} x {} vectors, row by row", field.nx, field.ny)),
        line(
            "x, y",
            "place, px, x to the right, y downwards, centre of the upper left pixel at (0, 0)".to_owned(),
        ),
        line("dx, dy", format!("displacement from image 0 to image 1, {what}, px")),
        line("correlation", "height of the correlation peak, 1 at most".to_owned()),
        line("flags", "empty for a valid vector, else what is wrong with it".to_owned()),
    ];
    if !result.uncertainty.is_empty() {
        let text = "standard deviations of dx and dy, px (Wieneke 2015)".to_owned();
        header.push(line("dx_uncertainty, dy_uncertainty", text));
    }
    let rows = field
        .vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| Row {
            x: vector.x,
            y: vector.y,
            dx: vector.dx,
            dy: vector.dy,
            correlation: vector.correlation,
            flags: vector.flags.names().join("+"),
            velocity: None,
            uncertainty: result.uncertainty.get(index).copied(),
        })
        .collect();
    FieldFile { header, rows }
}

/// Adds velocities to the rows, and says what they are.
fn add_velocities(file: &mut FieldFile, scale: &Scale) {
    let (pixel, dt) = (scale.pixel(), scale.dt());
    file.header.push(("scale".to_owned(), format!("{pixel:e} m a pixel, {dt:e} s between the images")));
    file.header.push(("u, v".to_owned(), "velocity to the right and upwards, m/s".to_owned()));
    for row in &mut file.rows {
        row.velocity = Some([scale.velocity(row.dx), scale.velocity(-row.dy)]);
    }
}

/// The size of a window: `32`, or `64 x 16`.
pub(super) fn window_text(pass: &PassParams) -> String {
    match pass.window_height {
        Some(height) => format!("{} x {height}", pass.window),
        None => pass.window.to_string(),
    }
}

/// A value of each pass, as `64, 32`. If it is the same in all passes, it is written once.
pub(super) fn each_pass(params: &MultipassParams, value: impl Fn(&PassParams) -> String) -> String {
    let mut values: Vec<String> = params.passes.iter().map(value).collect();
    if values.iter().all(|value| *value == values[0]) {
        values.truncate(1);
    }
    values.join(", ")
}
