//! Pictures of computed fields and correlations.

use terzetto_executor::{BoxError, Key};
use terzetto_kernels::{Image, MultipassParams, PassParams, VectorField, multipass::Look};

use super::result_files::{each_pass, window_text};
use crate::{
    params::PlotKind,
    plot::{
        Arrow, CorrelatedWindows, CorrelationPlot, MagnitudePlot, PeakMark, VectorsPlot, draw_correlation,
        draw_magnitude, draw_vectors,
    },
};

/// A picture of a field over its image, as a PNG file.
///
/// # Errors
/// The image has no pixels, or the field no vectors.
pub fn picture(
    kind: PlotKind,
    couple: &Key,
    params: &MultipassParams,
    field: &VectorField,
    image: &Image,
) -> Result<Vec<u8>, BoxError> {
    let arrows: Vec<Arrow> = field.vectors.iter().map(Arrow::from).collect();
    let valid = arrows.iter().filter(|arrow| arrow.valid).count();
    let subtitle = format!(
        "windows of {} px, overlap {} %  ·  {valid} of {} vectors valid",
        each_pass(params, window_text),
        each_pass(params, |pass| format!("{:.0}", pass.overlap * 100.0)),
        arrows.len()
    );
    let (title, size) = (couple.as_str(), (image.width(), image.height()));
    Ok(match kind {
        PlotKind::Vectors => draw_vectors(&VectorsPlot {
            title,
            subtitle: &subtitle,
            size,
            image: image.data(),
            arrows: &arrows,
        })?,
        PlotKind::Magnitude => draw_magnitude(&MagnitudePlot {
            title,
            subtitle: &subtitle,
            size,
            grid: (field.nx, field.ny),
            vectors: &arrows,
            range: None,
            arrows: true,
        })?,
    })
}

/// A picture of the correlation of one window, as a PNG file.
///
/// # Errors
/// The map has no values.
pub fn picture_of_correlation(
    couple: &Key,
    index: usize,
    pass: &PassParams,
    look: &Look,
) -> Result<Vec<u8>, BoxError> {
    let [x, y] = look.zero;
    let subtitle = format!(
        "pass {index}, window of {} px at ({}, {}), displacements from ({x:.1}, {y:.1}) px",
        look.side, look.x, look.y
    );
    let plot = CorrelationPlot {
        title: couple.as_str(),
        subtitle: &subtitle,
        radius: look.map.radius(),
        values: look.map.values(),
        peaks: &peak_marks(pass, look),
        windows: Some(CorrelatedWindows {
            side: look.side,
            first: &look.windows[0],
            second: &look.windows[1],
        }),
    };
    Ok(draw_correlation(&plot)?)
}

/// The peaks of a window's correlation, the highest first. They are displacements from the middle of the map.
pub fn peak_marks(pass: &PassParams, look: &Look) -> Vec<PeakMark> {
    let peaks = look.map.peaks(pass.peaks, pass.particle_radius);
    let peak = |peak: &terzetto_kernels::correlation::Peak| {
        let peak = look.map.summit(*peak);
        let fit = pass.subpixel.offset(&look.map, peak).unwrap_or_default();
        PeakMark {
            dx: peak.dx as f32 + fit.dx as f32,
            dy: peak.dy as f32 + fit.dy as f32,
            height: peak.value,
        }
    };
    peaks.as_slice().iter().map(peak).collect()
}
