//! Sixteen scenes, most of them poor: how many vectors a program calls valid, and how many of these are wrong.
//!
//! The cases are those of the literature on artificial images (Raffel et al., *Particle Image Velocimetry*; Okamoto et
//! al. 2000, *Measurement Science and Technology* 11, 685-691): gradients, noise, particles without partner, small,
//! wide, few and many particles, hot pixels, uneven light. Passes have windows of 64, 32 and 16 px.

use super::{BORDER, Fallible, cases::Case};
use std::{fs, path::Path};
use terzetto_kernels::{
    Flow, MultipassParams, MultipassPlan, SynthParams, multipass::Predictor, subpixel::SubpixelMethod,
};

/// Couples a case.
pub const COUPLES: u64 = 2;
/// A vector farther off than this is false, px.
const FALSE: f64 = 1.0;
const SIDE: usize = 384;

/// The names and scenes.
pub fn cases() -> Vec<(&'static str, Case)> {
    let side = SIDE as f64;
    let middle = side / 2.0;
    let scene = SynthParams {
        width: SIDE,
        height: SIDE,
        density: 0.05,
        particle_diameter: 2.5,
        ..Default::default()
    };
    let light = scene.intensity;
    let vortex = Flow::Vortex { x: middle, y: middle, peak: 5.0, radius: 100.0 };
    let of = |scene: SynthParams, flow: &Flow| Case { scene, flow: flow.clone() };
    let uniform = |dx, dy| Flow::Uniform { dx, dy };
    vec![
        ("uniform", of(scene.clone(), &uniform(3.4, -2.7))),
        ("large", of(scene.clone(), &uniform(13.3, 9.6))),
        ("rotation", of(scene.clone(), &Flow::Rotation { x: middle, y: middle, angle: 0.05 })),
        ("shear", of(scene.clone(), &Flow::Shear { dx: -0.08 * middle, rate: 0.08 })),
        ("vortex", of(scene.clone(), &vortex)),
        ("core", of(scene.clone(), &Flow::Vortex { x: middle, y: middle, peak: 6.0, radius: 30.0 })),
        ("noise10", of(SynthParams { noise: 0.1 * light, ..scene.clone() }, &vortex)),
        ("noise20", of(SynthParams { noise: 0.2 * light, ..scene.clone() }, &vortex)),
        ("loss20", of(SynthParams { pair_loss: 0.2, ..scene.clone() }, &vortex)),
        ("loss40", of(SynthParams { pair_loss: 0.4, ..scene.clone() }, &vortex)),
        ("small", of(SynthParams { particle_diameter: 1.0, ..scene.clone() }, &vortex)),
        ("wide", of(SynthParams { particle_diameter: 6.0, density: 0.02, ..scene.clone() }, &vortex)),
        ("sparse", of(SynthParams { density: 0.006, ..scene.clone() }, &vortex)),
        ("dense", of(SynthParams { density: 0.15, ..scene.clone() }, &vortex)),
        ("salt", of(SynthParams { salt: 0.01, ..scene.clone() }, &vortex)),
        ("light", of(SynthParams { second_light: 0.4, background: 0.5 * light, ..scene }, &vortex)),
    ]
}

/// The case of a name.
pub fn named(name: &str) -> Fallible<Case> {
    let found = cases().into_iter().find(|(other, _)| *other == name);
    Ok(found.ok_or_else(|| format!("no case `{name}`"))?.1)
}

/// How the vectors of a program compare with the truth.
#[derive(Default)]
pub struct Score {
    total: f64,
    valid: f64,
    wrong: f64,
    squares: f64,
}

impl Score {
    /// Adds a vector at a place.
    pub fn add(&mut self, case: &Case, (x, y): (f64, f64), (dx, dy): (f64, f64), valid: bool) {
        let inside = |at: f64, size: usize| (BORDER..size as f64 - BORDER).contains(&at);
        if !inside(x, case.scene.width) || !inside(y, case.scene.height) {
            return;
        }
        self.total += 1.0;
        // What is no number is not valid, whatever is said of it.
        if !valid || !dx.is_finite() || !dy.is_finite() {
            return;
        }
        let (u, v) = case.flow.displacement(x, y);
        let square = (dx - u).powi(2) + (dy - v).powi(2);
        self.valid += 1.0;
        if square > FALSE * FALSE {
            self.wrong += 1.0;
        } else {
            self.squares += square / 2.0;
        }
    }

    /// Share of valid vectors, share of valid but false ones, both in per cent, and the RMS error of a component of
    /// the others, px.
    pub fn line(&self) -> String {
        let share = |part: f64| 100.0 * part / self.total;
        let rms = (self.squares / (self.valid - self.wrong)).sqrt();
        format!("{:.1},{:.2},{rms:.4}", share(self.valid), share(self.wrong))
    }
}

/// Three passes, the last of which are guided as asked for.
pub fn params(predictor: Predictor) -> MultipassParams {
    let mut params = MultipassParams::zoom(64, 3);
    params.passes.iter_mut().for_each(|pass| pass.predictor = predictor);
    params
}

/// Prints a line for each case: valid, false and RMS error of shifted and of deformed passes, whose peaks are fitted by
/// a method.
pub fn print_table(method: SubpixelMethod) -> Fallible<()> {
    println!("case,shift valid,shift false,shift rms,deform valid,deform false,deform rms");
    for (name, case) in cases() {
        let mut line = name.to_owned();
        for predictor in [Predictor::Shift, Predictor::Deform] {
            let mut params = params(predictor);
            params.passes.iter_mut().for_each(|pass| pass.subpixel.method = method);
            let mut plan = MultipassPlan::new(&params, case.scene.width, case.scene.height)?;
            let mut score = Score::default();
            for index in 0..COUPLES {
                let [first, second] = case.couple(index)?;
                let result = plan.compute(&first, &second)?;
                for vector in &result.passes.last().ok_or("no pass")?.vectors {
                    let valid = vector.flags.is_valid();
                    score.add(&case, (vector.x, vector.y), (vector.dx, vector.dy), valid);
                }
            }
            line.push(',');
            line.push_str(&score.line());
        }
        println!("{line}");
    }
    print_unrelated()
}

/// Two images of different particles: nothing that is called valid is.
fn print_unrelated() -> Fallible<()> {
    let mut line = String::from("unrelated");
    let case = named("uniform")?;
    for predictor in [Predictor::Shift, Predictor::Deform] {
        let mut plan = MultipassPlan::new(&params(predictor), case.scene.width, case.scene.height)?;
        let [first, _] = case.couple(0)?;
        let [_, second] = case.couple(1)?;
        let result = plan.compute(&first, &second)?;
        let shares: Vec<f64> = result.passes.iter().map(|field| 100.0 * field.share_valid()).collect();
        line.push_str(&format!(",{:.1},{0:.1},", shares.last().ok_or("no pass")?));
    }
    println!("{line}");
    Ok(())
}

/// Prints the score of files of vectors: x, y, dx, dy, and whether they are valid (1 or 0).
pub fn print_score(case: &Case, files: &[String]) -> Fallible<()> {
    let mut score = Score::default();
    for file in files {
        for line in fs::read_to_string(Path::new(file))?.lines().skip(1) {
            let numbers: Vec<f64> = line.split(',').map(|word| word.parse().unwrap_or(f64::NAN)).collect();
            let [x, y, dx, dy, valid] = numbers[..] else {
                return Err(format!("no vector: `{line}`").into());
            };
            score.add(case, (x, y), (dx, dy), valid == 1.0);
        }
    }
    println!("{}", score.line());
    Ok(())
}

/// Prints the curve of the median test: for tolerances from strict to lax, the share of good vectors that it keeps and of
/// false ones that it lets through, over all scenes, with the noise that the test is told and with that of the field.
pub fn print_roc() -> Fallible<()> {
    println!("test,noise,threshold,good kept,false kept");
    let couples: Vec<_> = cases()
        .into_iter()
        .map(|(_, case)| case.couple(0).map(|couple| (case, couple)))
        .collect::<Fallible<_>>()?;
    for adaptive in [false, true] {
        for noise in [0.1, 0.2, 0.3] {
            for threshold in [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0] {
                let mut params = params(Predictor::Deform);
                params.spline.threshold = f64::INFINITY;
                for pass in &mut params.passes {
                    let validation = &mut pass.validation;
                    (validation.median_threshold, validation.median_noise) = (threshold, noise);
                    (validation.median_adaptive, validation.replace) = (adaptive, false);
                }
                let (mut good, mut wrong) = ([0.0; 2], [0.0; 2]);
                for (case, [first, second]) in &couples {
                    let mut plan = MultipassPlan::new(&params, case.scene.width, case.scene.height)?;
                    let result = plan.compute(first, second)?;
                    for vector in result.passes.iter().flat_map(|field| &field.vectors) {
                        let inside = |at: f64| (BORDER..SIDE as f64 - BORDER).contains(&at);
                        if !inside(vector.x) || !inside(vector.y) {
                            continue;
                        }
                        let (u, v) = case.flow.displacement(vector.x, vector.y);
                        let is_good = (vector.dx - u).hypot(vector.dy - v) <= FALSE;
                        let counts = if is_good { &mut good } else { &mut wrong };
                        counts[usize::from(vector.flags.is_valid())] += 1.0;
                    }
                }
                let share = |counts: [f64; 2]| 100.0 * counts[1] / (counts[0] + counts[1]);
                let name = if adaptive { "adaptive" } else { "fixed" };
                println!("{name},{noise},{threshold},{:.2},{:.2}", share(good), share(wrong));
            }
        }
    }
    Ok(())
}
