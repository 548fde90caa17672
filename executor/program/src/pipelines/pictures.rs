//! Pictures of what was computed.

use terzetto_kernels::{Image, MultipassParams, PassParams, VectorField, multipass::Look};

use super::result_files::each_pass;
use crate::{
    params::PlotKind,
    plot::{
        Arrow, CorrelationPlot, MagnitudePlot, Plot, Summit, Windows, draw, draw_correlation, draw_magnitude,
    },
};
use terzetto_executor::{BoxError, Key};

/// A picture of a field, as a PNG file; the image is what the vectors belong to.
///
/// # Errors
/// An image without pixels, a field without vectors.
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
        each_pass(params, |pass| pass.window.to_string()),
        each_pass(params, |pass| format!("{:.0}", pass.overlap * 100.0)),
        arrows.len()
    );
    let (title, size) = (couple.as_str(), (image.width(), image.height()));
    Ok(match kind {
        PlotKind::Vectors => {
            draw(&Plot { title, subtitle: &subtitle, size, image: image.data(), arrows: &arrows })?
        }
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
/// A map without values.
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
        summits: &summits(pass, look),
        windows: Some(Windows { side: look.side, first: &look.windows[0], second: &look.windows[1] }),
    };
    Ok(draw_correlation(&plot)?)
}

/// The peaks of a window's correlation, the highest first, as displacements from the middle of the map.
pub fn summits(pass: &PassParams, look: &Look) -> Vec<Summit> {
    let peaks = look.map.peaks(pass.peaks, pass.particle_radius);
    let summit = |peak: &terzetto_kernels::correlation::Peak| {
        let (x, y) = pass.subpixel.offset(&look.map, *peak).unwrap_or_default();
        Summit { dx: peak.dx as f32 + x as f32, dy: peak.dy as f32 + y as f32, height: peak.value }
    };
    peaks.as_slice().iter().map(summit).collect()
}
