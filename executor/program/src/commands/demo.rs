//! `terzetto demo`: a series with known displacements, computed and compared.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use terzetto_executor::{BoxError, results::Saving};
use terzetto_program::{
    params::{PivSection, PlotKind},
    pipelines::Task,
    results::{FieldFile, parse_csv},
    series::{CoupleRule, list_images, make_couples},
};

use crate::commands::{
    args::{DemoArgs, FormatChoice, InputArgs, PivArgs, SavingChoice},
    piv,
    run::status::Status,
    say,
    setup::series::default_out,
    synth,
    synthetic::Scene,
};

pub fn command(args: &DemoArgs) -> Result<Status, BoxError> {
    if args.results.dry_run {
        return Err("a demo makes its images first, and cannot be tried with --dry-run".into());
    }
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir().join(format!("terzetto-demo-{}", process::id())),
    };
    let images = folder.join("images");
    let results = default_out(&images, "piv");
    let scene = Scene::new(&args.scene)?;
    say(&format!("Making {} couples in {}", args.scene.pairs, images.display()));
    let status = synth::make(&images, &args.scene, &args.run)?;
    if status != Status::Done {
        return Ok(status);
    }
    say("Computing displacements");
    let mut piv_args = PivArgs {
        input: InputArgs {
            folder: Some(images.clone()),
            out: Some(results.clone()),
            params: None,
            range: None,
        },
        couples: Some(CoupleRule::Letters),
        second: None,
        couples_file: None,
        try_one: None,
        at: None,
        measure: args.measure.clone(),
        output: args.output.clone(),
        results: args.results.clone(),
        run: args.run.clone(),
    };
    if args.results.saving() == Saving::Ask {
        // The images were made anew, and so are their results.
        piv_args.results.saving = SavingChoice::Recompute;
    }
    let status = piv::command(&piv_args)?;
    if status != Status::Done {
        return Ok(status);
    }
    if args.output.format.as_ref().is_none_or(|formats| formats.contains(&FormatChoice::Csv)) {
        compare(&images, &results, &scene, args)?;
    }
    Ok(status)
}

/// Reads the results back, as anybody would, and tells how far they are from the truth.
fn compare(images: &Path, results: &Path, scene: &Scene, args: &DemoArgs) -> Result<(), BoxError> {
    let size = args.scene.size;
    let margin = args.measure.window.unwrap_or(PivSection::default().passes[0].window) as f64;
    let mut errors = Errors::default();
    let mut pictures = Vec::new();
    for couple in make_couples(&list_images(images)?, CoupleRule::Letters)?.couples {
        let stem = Task::Piv.file_stem(&couple.name);
        let field = read_field(&results.join(format!("{stem}.csv")))?;
        errors.add(&field, scene, size, margin);
        pictures.push(results.join(format!("{stem}.png")));
    }
    say(&format!(
        "mean absolute error {:.4} px a component, {} of {} vectors valid ({:.1} %), more than a window \
         away from the border",
        errors.sum / (2.0 * errors.valid.max(1) as f64),
        errors.valid,
        errors.all,
        100.0 * errors.valid as f64 / errors.all.max(1) as f64
    ));
    if args.output.plots().is_none_or(|plots| plots.contains(&PlotKind::Vectors))
        && let (Some(first), Some(last)) = (pictures.first(), pictures.last())
    {
        say(&format!("pictures: {} … {}", first.display(), last.display()));
    }
    Ok(())
}

fn read_field(path: &PathBuf) -> Result<FieldFile, BoxError> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let field = parse_csv(&text).map_err(|error| format!("`{}`, {error}", path.display()))?;
    Ok(field)
}

/// Differences between what was measured and what is true.
#[derive(Default)]
struct Errors {
    /// Sum of the absolute differences of both components.
    sum: f64,
    valid: usize,
    all: usize,
}

impl Errors {
    /// Near the border, particles leave the image and windows see only part of the motion; what lies
    /// within `margin` of it is not compared.
    fn add(&mut self, field: &FieldFile, scene: &Scene, size: (usize, usize), margin: f64) {
        let inside = |at: f64, side: usize| at >= margin && at <= side as f64 - 1.0 - margin;
        for row in field.rows.iter().filter(|row| inside(row.x, size.0) && inside(row.y, size.1)) {
            self.all += 1;
            if row.is_valid() {
                let (dx, dy) = scene.displacement(row.x, row.y);
                self.valid += 1;
                self.sum += (row.dx - dx).abs() + (row.dy - dy).abs();
            }
        }
    }
}
