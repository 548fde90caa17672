//! `terzetto piv --try`: computes one couple and prints how good it is, before hours are spent on a series.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use terzetto_executor::{BoxError, results::write_atomic};
use terzetto_kernels::{Image, MultipassParams, PassParams, PivResult, multipass::Look, read_image};
use terzetto_program::{
    masks::Masks,
    params::{Params, PlotKind},
    pipelines::{PlanPool, Preprocessing, Task, peak_marks, picture, picture_of_correlation},
    plot::PeakMark,
    series::Couple,
};

use crate::commands::{args::PivArgs, field_statistics, print_line, run::status::Status};

/// The couple of this name, or the first one.
pub fn choose<'a>(couples: &'a [Couple], name: &str) -> Result<&'a Couple, BoxError> {
    let found = match name {
        "" => couples.first(),
        name => couples.iter().find(|couple| couple.name.as_str() == name),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = couples.iter().take(3).map(|couple| couple.name.as_str()).collect();
        let more = if couples.len() > names.len() { ", …" } else { "" };
        format!("there is no couple `{name}`; there are: {}{more}", names.join(", ")).into()
    })
}

pub fn command(
    args: &PivArgs,
    params: &Params,
    couple: &Couple,
    preprocessing: Preprocessing,
    masks: &Masks,
) -> Result<Status, BoxError> {
    let preprocessor = preprocessing.build()?;
    let read = |path: &PathBuf| -> Result<Image, BoxError> {
        let mut image = read_image(path)?;
        preprocessor.apply(&mut image)?;
        Ok(image)
    };
    let [first, second] = couple.images.each_ref().map(read);
    let (first, second) = (first?, second?);
    let size = (first.width(), first.height());
    let multipass = MultipassParams::from(&params.piv);
    let mut plan = PlanPool::new(multipass.clone()).make(size)?;
    plan.set_mask(masks.of(&couple.name, size)?).map_err(|error| format!("the mask: {error}"))?;
    let middle = [(size.0 as f64 - 1.0) / 2.0, (size.1 as f64 - 1.0) / 2.0];
    plan.look_near(Some(args.at.unwrap_or(middle)));
    let mut times = Vec::new();
    let mut start = Instant::now();
    let result = plan.compute_by_pass(&first, &second, |_| {
        times.push(start.elapsed());
        start = Instant::now();
    })?;
    let names = couple.images.each_ref().map(|path| path.display().to_string());
    print_line(&format!("couple {}: {}, {}; {} x {} px", couple.name, names[0], names[1], size.0, size.1));
    print_passes(&multipass, &result, &times);
    let pictures = Pictures { folder: folder(args)?, stem: Task::Piv.file_stem(&couple.name) };
    let field = result.last().ok_or("no pass was computed")?;
    for kind in [PlotKind::Vectors, PlotKind::Magnitude] {
        pictures.write(kind.suffix(), &picture(kind, &couple.name, &multipass, field, &first)?)?;
    }
    for (index, (look, pass)) in plan.looks().into_iter().zip(&multipass.passes).enumerate() {
        let Some(look) = look else {
            print_line(&format!("pass {index}: the window has nothing to correlate"));
            continue;
        };
        print_peaks(index, pass, look);
        let bytes = picture_of_correlation(&couple.name, index, pass, look)?;
        pictures.write(&format!("_correlation_pass{index}.png"), &bytes)?;
    }
    Ok(Status::Done)
}

/// Where the pictures go: never among the results of a series, unless asked.
fn folder(args: &PivArgs) -> Result<PathBuf, BoxError> {
    let temporary = || std::env::temp_dir().join(format!("terzetto-try-{}", std::process::id()));
    let folder = args.input.out.clone().unwrap_or_else(temporary);
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make the folder `{}`: {error}", folder.display()))?;
    Ok(folder)
}

/// Prints what each pass has found, and statistics of the last field.
fn print_passes(params: &MultipassParams, result: &PivResult, times: &[Duration]) {
    for (index, (field, pass)) in result.passes.iter().zip(&params.passes).enumerate() {
        let time = times.get(index).map_or(0.0, Duration::as_secs_f64);
        print_line(&format!(
            "pass {index}: windows of {} px, grid of {} x {} vectors, {:.1} % valid, {time:.3} s",
            pass.window,
            field.nx,
            field.ny,
            100.0 * field.share_valid()
        ));
        let flags = field_statistics::flags(field);
        if !flags.is_empty() {
            print_line(&format!("  flags: {flags}"));
        }
    }
    if let Some(last) = result.last() {
        let smoothed = if result.smoothed.is_some() { ", smoothed" } else { "" };
        print_line(&format!("displacements of the last pass's valid vectors{smoothed}, px:"));
        field_statistics::table(last).iter().for_each(|line| print_line(line));
    }
}

struct Pictures {
    folder: PathBuf,
    stem: String,
}

impl Pictures {
    fn write(&self, suffix: &str, bytes: &[u8]) -> Result<(), BoxError> {
        let path = self.folder.join(format!("{}{suffix}", self.stem));
        write_atomic(&path, bytes)?;
        print_line(&format!("picture: {}", path.display()));
        Ok(())
    }
}

/// Prints the peaks of one window's correlation.
fn print_peaks(index: usize, pass: &PassParams, look: &Look) {
    let place = |peak: &PeakMark| {
        let [x, y] = look.zero;
        let (dx, dy) = (x + f64::from(peak.dx), y + f64::from(peak.dy));
        format!("({dx:.2}, {dy:.2}) px with {:.3}", peak.height)
    };
    let peaks: Vec<String> = peak_marks(pass, look).iter().map(place).collect();
    print_line(&format!("pass {index}, window at ({}, {}): peaks at {}", look.x, look.y, peaks.join(", ")));
}
