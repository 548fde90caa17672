//! The three pictures of a field, for a synthetic vortex:
//! `cargo run -p terzetto-program --example pictures [FOLDER]`.
//!
//! Writes `vectors.png`, `magnitude.png` and `correlation.png`.

use std::{fs, path::Path};

use terzetto_executor::BoxError;
use terzetto_kernels::{
    Flow, Image, PivParams, PivPlan, SynthParams,
    correlation::{CorrelationMap, CorrelationMethod, Correlator, Couple},
    subpixel::SubpixelParams,
    synth_couple,
};
use terzetto_program::plot::{
    Arrow, CorrelatedWindows, CorrelationPlot, MagnitudePlot, PeakMark, VectorsPlot, draw_correlation,
    draw_magnitude, draw_vectors,
};

const SIDE: usize = 32;

fn main() -> Result<(), BoxError> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let folder = Path::new(&folder);
    let scene = SynthParams { width: 512, height: 384, noise: 2500.0, ..SynthParams::default() };
    let flow = Flow::Vortex { x: 230.0, y: 190.0, peak: 7.5, radius: 50.0 };
    let (first, second) = synth_couple(&scene, &flow, 0)?;
    let params = PivParams::default();
    let field = PivPlan::new(&params, scene.width, scene.height)?.compute(&first, &second)?;

    let arrows: Vec<Arrow> = field.vectors.iter().map(Arrow::from).collect();
    let valid = arrows.iter().filter(|arrow| arrow.valid).count();
    let subtitle = format!("windows of {} px  ·  {valid} of {} vectors valid", params.window, arrows.len());
    let title = "synthetic vortex";
    let size = (scene.width, scene.height);
    let plot = VectorsPlot { title, subtitle: &subtitle, size, image: first.data(), arrows: &arrows };
    fs::write(folder.join("vectors.png"), draw_vectors(&plot)?)?;

    let plot = MagnitudePlot {
        title,
        subtitle: &subtitle,
        size,
        grid: (field.nx, field.ny),
        vectors: &arrows,
        range: None,
        arrows: true,
    };
    fs::write(folder.join("magnitude.png"), draw_magnitude(&plot)?)?;
    fs::write(folder.join("correlation.png"), correlation(title, &first, &second, (256, 160))?)?;
    Ok(())
}

/// The picture of the correlation of the windows with this upper left corner.
fn correlation(
    title: &str,
    first: &Image,
    second: &Image,
    (left, top): (usize, usize),
) -> Result<Vec<u8>, BoxError> {
    let windows = [first, second].map(|image| cut(image, left, top));
    let norms = windows.each_ref().map(|window| window.iter().map(|value| value * value).sum::<f32>().sqrt());
    let mut map = CorrelationMap::new(SIDE / 2 - 1, 1);
    let couple = Couple { first: &windows[0], second: &windows[1], norms };
    Correlator::new(CorrelationMethod::Circular, SIDE, map.radius())?.correlate(couple, &mut map);
    let peaks = map.peaks(2, 3);
    let summit = |peak: &terzetto_kernels::correlation::Peak| {
        let peak = map.summit(*peak);
        let fit = SubpixelParams::default().offset(&map, peak).unwrap_or_default();
        PeakMark {
            dx: peak.dx as f32 + fit.dx as f32,
            dy: peak.dy as f32 + fit.dy as f32,
            height: peak.value,
        }
    };
    let peaks: Vec<PeakMark> = peaks.as_slice().iter().map(summit).collect();
    let middle = |corner: usize| corner as f32 + (SIDE as f32 - 1.0) / 2.0;
    let plot = CorrelationPlot {
        title,
        subtitle: &format!("window of {SIDE} px at ({}, {})", middle(left), middle(top)),
        radius: map.radius(),
        values: map.values(),
        peaks: &peaks,
        windows: Some(CorrelatedWindows { side: SIDE, first: &windows[0], second: &windows[1] }),
    };
    Ok(draw_correlation(&plot)?)
}

/// A window without its mean.
fn cut(image: &Image, left: usize, top: usize) -> Vec<f32> {
    let mut window: Vec<f32> =
        (top..top + SIDE).flat_map(|y| image.row(y)[left..left + SIDE].iter().copied()).collect();
    let mean = window.iter().sum::<f32>() / window.len() as f32;
    window.iter_mut().for_each(|value| *value -= mean);
    window
}
