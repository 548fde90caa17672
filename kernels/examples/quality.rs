//! Bias and random error of displacements on synthetic images, as tables in CSV.
//!
//! `cargo run --release -p terzetto-kernels --example quality [TABLE]`, with `TABLE` one of `displacement`,
//! `diameter`, `density`, `noise`, `shear`, `subpixel`, or nothing for all. What is varied stands in the first
//! column; the bias is the mean error along x, the random error its standard deviation, both in px; `valid`
//! is the share of vectors that pass all tests. Everything else is as in the first line of each table.
//!
//! What to expect (Raffel et al., *Particle Image Velocimetry*, on Monte Carlo simulations): for windows of 32 px a
//! random error of some hundredths of a pixel, least for particles about 2.5 px wide, growing in proportion to wider
//! ones, with a bias towards whole pixels for those below 2 px; growing with the displacement from 0 to 0.5 px, then
//! level, unless windows are shifted; less with more particles, more with noise and with displacements that vary
//! within a window.

// A program's answers go to standard output.
#![allow(clippy::print_stdout)]

use std::error::Error;
use terzetto_kernels::{
    Flow, MultipassParams, MultipassPlan, PassParams, SynthParams,
    correlation::Method,
    multipass::Predictor,
    subpixel::{self, SubpixelParams},
    synth_couple,
};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// The errors of many vectors along x.
#[derive(Default)]
struct Errors {
    count: f64,
    sum: f64,
    squares: f64,
    total: f64,
}

impl Errors {
    fn bias(&self) -> f64 {
        self.sum / self.count
    }

    fn random(&self) -> f64 {
        (self.squares / self.count - self.bias().powi(2)).max(0.0).sqrt()
    }

    fn valid(&self) -> f64 {
        self.count / self.total
    }
}

/// The scene that the literature takes for ideal: 8 particles a window of 32 px, 2.5 px wide, little noise.
fn scene() -> SynthParams {
    SynthParams {
        width: 512,
        height: 512,
        density: 0.03,
        particle_diameter: 2.5,
        noise: 100.0,
        ..Default::default()
    }
}

/// How a couple is measured.
#[derive(Clone, Copy, Debug)]
enum Way {
    OnePass,
    Padded,
    Shift,
    Deform,
}

const WAYS: [Way; 4] = [Way::OnePass, Way::Padded, Way::Shift, Way::Deform];

/// Windows of 32 px throughout, so that ways differ in nothing else.
fn params(way: Way, subpixel: SubpixelParams) -> MultipassParams {
    let pass = PassParams { subpixel, ..PassParams::default() };
    let predictor = if matches!(way, Way::Deform) { Predictor::Deform } else { Predictor::Shift };
    let correlation = if matches!(way, Way::Padded) { Method::Padded } else { Method::Circular };
    let passes = match way {
        Way::OnePass | Way::Padded => vec![PassParams { correlation, ..pass }],
        Way::Shift => vec![pass.clone(), pass],
        Way::Deform => {
            vec![pass.clone(), PassParams { predictor, ..pass.clone() }, PassParams { predictor, ..pass }]
        }
    };
    MultipassParams { passes, ..MultipassParams::default() }
}

fn measure(scene: &SynthParams, flow: &Flow, params: &MultipassParams, couples: u64) -> Fallible<Errors> {
    let mut plan = MultipassPlan::new(params, scene.width, scene.height)?;
    let mut errors = Errors::default();
    for index in 0..couples {
        let (first, second) = synth_couple(scene, flow, index)?;
        let result = plan.compute(&first, &second)?;
        let field = result.passes.last().ok_or("no pass")?;
        let inside = |place: f64, size: usize| (30.0..size as f64 - 30.0).contains(&place);
        for vector in field
            .vectors
            .iter()
            .filter(|vector| inside(vector.x, scene.width) && inside(vector.y, scene.height))
        {
            errors.total += 1.0;
            if vector.flags.is_valid() {
                let error = vector.dx - flow.displacement(vector.x, vector.y).0;
                errors.count += 1.0;
                errors.sum += error;
                errors.squares += error * error;
            }
        }
    }
    Ok(errors)
}

/// One line for each value, three columns for each way.
fn table(name: &str, values: &[f64], case: impl Fn(f64) -> (SynthParams, Flow)) -> Fallible<()> {
    print!("# {name}; otherwise {:?}\n{name}", scene());
    WAYS.iter().for_each(|way| print!(",{way:?} bias,{way:?} random,{way:?} valid"));
    println!();
    for &value in values {
        let (scene, flow) = case(value);
        print!("{value}");
        for way in WAYS {
            let errors = measure(&scene, &flow, &params(way, SubpixelParams::default()), 2)?;
            print!(",{:.4},{:.4},{:.3}", errors.bias(), errors.random(), errors.valid());
        }
        println!();
    }
    Ok(())
}

fn subpixel_table() -> Fallible<()> {
    println!(
        "# sub-pixel methods over particle diameters, one pass, mean of displacements 2.0 to 3.0\n\
              method,radius,diameter,bias,random,valid"
    );
    use subpixel::Method::{Centroid, Gaussian2d, Gaussian3, None, Parabola};
    for (method, radius) in [
        (Gaussian3, 1),
        (Gaussian2d, 1),
        (Gaussian2d, 2),
        (Centroid, 1),
        (Centroid, 2),
        (Parabola, 1),
        (None, 1),
    ] {
        for diameter in [1.5, 2.5, 4.0] {
            let mut errors = Errors::default();
            // Where the peak lies between pixels decides over the error: the root of the mean of both squares.
            let (mut bias, mut random) = (0.0, 0.0);
            for tenth in 0..10 {
                let flow = Flow::Uniform { dx: 2.0 + 0.1 * f64::from(tenth), dy: 0.5 };
                let scene = SynthParams { particle_diameter: diameter, ..scene() };
                errors = measure(&scene, &flow, &params(Way::OnePass, SubpixelParams { method, radius }), 1)?;
                bias += errors.bias().powi(2) / 10.0;
                random += errors.random().powi(2) / 10.0;
            }
            println!(
                "{method:?},{radius},{diameter},{:.4},{:.4},{:.3}",
                bias.sqrt(),
                random.sqrt(),
                errors.valid()
            );
        }
    }
    Ok(())
}

fn main() -> Fallible<()> {
    let wanted = std::env::args().nth(1);
    let is = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    let uniform = |dx: f64| Flow::Uniform { dx, dy: 0.3 };
    if is("displacement") {
        let values =
            [0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0, 3.3, 4.0, 5.5, 7.0, 9.25, 12.0];
        table("displacement", &values, |dx| (scene(), uniform(dx)))?;
    }
    if is("diameter") {
        let values = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];
        table("diameter", &values, |diameter| {
            (SynthParams { particle_diameter: diameter, ..scene() }, uniform(2.3))
        })?;
    }
    if is("density") {
        let values = [0.004, 0.008, 0.016, 0.03, 0.06, 0.1];
        table("density", &values, |density| (SynthParams { density, ..scene() }, uniform(2.3)))?;
    }
    if is("noise") {
        let values = [0.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0];
        table("noise", &values, |noise| (SynthParams { noise, ..scene() }, uniform(2.3)))?;
    }
    if is("shear") {
        let values = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15];
        table("shear", &values, |rate| {
            (SynthParams { height: 160, ..scene() }, Flow::Shear { dx: -rate * 80.0, rate })
        })?;
    }
    if is("subpixel") {
        subpixel_table()?;
    }
    Ok(())
}
