//! Synthetic series: the numbers behind the options of the command line.

use std::fmt::Write;

use terzetto_executor::BoxError;
use terzetto_kernels::synth::{Flow, SynthParams};

use crate::commands::args::{FlowChoice, SyntheticArgs};

/// A synthetic series: the images and the flow in them.
#[derive(Clone, Debug)]
pub struct SyntheticSeries {
    /// What the images look like.
    pub params: SynthParams,
    /// What moves the particles.
    pub flow: Flow,
}

impl SyntheticSeries {
    /// The series that the command line describes.
    ///
    /// # Errors
    /// A value is not valid. The error names its option.
    pub fn new(args: &SyntheticArgs) -> Result<SyntheticSeries, BoxError> {
        let displacement = args.displacement;
        if !displacement.is_finite() || displacement.abs() > 100.0 {
            return Err(format!("--displacement is {displacement}, and must be -100 to 100 px").into());
        }
        if !(0.0..=1.0).contains(&args.noise) {
            return Err(format!("--noise is {}, and must be 0 to 1", args.noise).into());
        }
        let (width, height) = args.size;
        let defaults = SynthParams::default();
        let noise = args.noise * defaults.intensity;
        let params = SynthParams { width, height, noise, seed: args.seed, ..defaults };
        params.validate()?;
        Ok(SyntheticSeries { params, flow: flow(args) })
    }

    /// The displacement at a point, px. The centre of the upper left pixel is at (0, 0).
    pub fn displacement(&self, x: f64, y: f64) -> (f64, f64) {
        self.flow.displacement(x, y)
    }

    /// The truth as TOML: how the images were made.
    pub fn to_toml(&self) -> String {
        let SynthParams { width, height, density, particle_diameter, intensity, noise, seed, .. } =
            self.params;
        let mut text = String::from("# How these synthetic images were made.\n");
        let (name, formula, values) = describe(&self.flow);
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "# Places and displacements are in px, x to the right and y downwards; the centre of the upper\n\
             # left pixel is at (0, 0).\n\n\
             [images]\nwidth = {width}\nheight = {height}\n\
             particles_per_pixel = {density:?}\nparticle_diameter = {particle_diameter:?}\n\
             particle_intensity = {intensity:?}\nnoise = {noise:?}\nseed = {seed}\n\n\
             [flow]\n# {formula}\nkind = \"{name}\""
        );
        for (key, value) in values {
            let _ = writeln!(text, "{key} = {value:?}");
        }
        text
    }
}

/// A flow whose largest displacement within the image is `--displacement`.
fn flow(args: &SyntheticArgs) -> Flow {
    let peak = args.displacement;
    let (width, height) = (args.size.0 as f64, args.size.1 as f64);
    let (x, y) = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
    match args.flow {
        // The direction is neither an axis nor a diagonal, so no component is a whole number.
        FlowChoice::Uniform => Flow::Uniform { dx: 0.8 * peak, dy: -0.6 * peak },
        FlowChoice::Rotation => Flow::Rotation { x, y, angle: peak / x.hypot(y).max(1.0) },
        FlowChoice::Vortex => Flow::Vortex { x, y, peak, radius: width.min(height) * 0.3 },
        FlowChoice::Shear => Flow::Shear { dx: -peak, rate: peak / y.max(1.0) },
    }
}

/// Name, formula and numbers of a flow.
fn describe(flow: &Flow) -> (&'static str, &'static str, Vec<(&'static str, f64)>) {
    match *flow {
        Flow::Uniform { dx, dy } => ("uniform", "dx and dy everywhere", vec![("dx", dx), ("dy", dy)]),
        Flow::Rotation { x, y, angle } => (
            "rotation",
            "(-angle (y - y0), angle (x - x0)), angle in rad",
            vec![("x0", x), ("y0", y), ("angle", angle)],
        ),
        Flow::Vortex { x, y, peak, radius } => (
            "vortex",
            "Lamb-Oseen about (x0, y0); the displacement peaks at the radius",
            vec![("x0", x), ("y0", y), ("peak", peak), ("radius", radius)],
        ),
        Flow::Shear { dx, rate } => ("shear", "(dx + rate y, 0)", vec![("dx", dx), ("rate", rate)]),
        _ => ("other", "see the program's source", Vec::new()),
    }
}
