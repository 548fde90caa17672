//! `terzetto calibrate`: from the image of a target to a calibration.

use terzetto_executor::{BoxError, results::write_atomic};
use terzetto_kernels::{calibration::Calibration, read_image};

use crate::commands::{args::CalibrateArgs, print_line, run::status::Status};

/// A root mean square distance of the dots above this means that something is wrong, px.
const LARGE: f64 = 0.5;

pub fn command(args: &CalibrateArgs) -> Result<Status, BoxError> {
    let CalibrateArgs { target, spacing, out } = args;
    let image = read_image(target)?;
    let calibration = Calibration::of_target(&image, *spacing)
        .map_err(|error| format!("`{}`: {error}", target.display()))?;
    let text = toml::to_string(&calibration)?;
    write_atomic(out, text.as_bytes())?;
    let (dots, residual, pixel) = (calibration.dots(), calibration.residual(), calibration.pixel_size());
    print_line(&format!("{dots} dots, {residual:.3} px from the polynomials (root mean square)"));
    print_line(&format!("a pixel of dewarped images is {pixel:.6e} m: --scale {pixel:.6e}"));
    print_line(&format!("calibration in {}", out.display()));
    if residual > LARGE {
        log::warn!("the dots lie far from the polynomials: is the target flat, and each dot found?");
    }
    Ok(Status::Done)
}
