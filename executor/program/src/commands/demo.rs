//! `terzetto demo`: makes a series with known displacements, computes it, and compares the results with the truth.

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
    args::{DemoArgs, FormatChoice, InputArgs, PivArgs, SavingChoice, ScaleArgs},
    piv, print_line,
    run::status::Status,
    setup::series::default_out,
    synth,
    synthetic::SyntheticSeries,
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
    let synthetic = SyntheticSeries::new(&args.synthetic)?;
    print_line(&format!("Making {} couples in {}", args.synthetic.pairs, images.display()));
    let status = synth::make(&images, &args.synthetic, &args.run)?;
    if status != Status::Done {
        return Ok(status);
    }
    print_line("Computing displacements");
    let mut piv_args = PivArgs {
        ensemble: false,
        scale: ScaleArgs::default(),
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
        // The images are new, so their results are computed again.
        piv_args.results.saving = SavingChoice::Recompute;
    }
    let status = piv::command(&piv_args)?;
    if status != Status::Done {
        return Ok(status);
    }
    if args.output.format.as_ref().is_none_or(|formats| formats.contains(&FormatChoice::Csv)) {
        compare(&images, &results, &synthetic, args)?;
    }
    Ok(status)
}

/// Reads the results, and prints how far they are from the truth.
fn compare(
    images: &Path,
    results: &Path,
    synthetic: &SyntheticSeries,
    args: &DemoArgs,
) -> Result<(), BoxError> {
    let size = args.synthetic.size;
    let margin = args.measure.window.unwrap_or(PivSection::default().passes[0].window) as f64;
    let mut errors = Errors::default();
    let mut pictures = Vec::new();
    for couple in make_couples(&list_images(images)?, CoupleRule::Letters)?.couples {
        let stem = Task::Piv.file_stem(&couple.name);
        let field = read_field(&results.join(format!("{stem}.csv")))?;
        errors.add(&field, synthetic, size, margin);
        pictures.push(results.join(format!("{stem}.png")));
    }
    print_line(&format!(
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
        print_line(&format!("pictures: {} … {}", first.display(), last.display()));
    }
    Ok(())
}

fn read_field(path: &PathBuf) -> Result<FieldFile, BoxError> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let field = parse_csv(&text).map_err(|error| format!("`{}`, {error}", path.display()))?;
    Ok(field)
}

/// The errors of the measured displacements.
#[derive(Default)]
struct Errors {
    /// The sum of the absolute errors of both components.
    sum: f64,
    valid: usize,
    all: usize,
}

impl Errors {
    /// Adds the vectors of a field. Near the border, particles leave the image, and windows see only a part of the
    /// motion. So vectors within `margin` of the border are left out.
    fn add(&mut self, field: &FieldFile, synthetic: &SyntheticSeries, size: (usize, usize), margin: f64) {
        let inside = |at: f64, side: usize| at >= margin && at <= side as f64 - 1.0 - margin;
        for row in field.rows.iter().filter(|row| inside(row.x, size.0) && inside(row.y, size.1)) {
            self.all += 1;
            if row.is_valid() {
                let (dx, dy) = synthetic.displacement(row.x, row.y);
                self.valid += 1;
                self.sum += (row.dx - dx).abs() + (row.dy - dy).abs();
            }
        }
    }
}
