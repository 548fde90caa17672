//! Synthetic particle images with a known displacement field.
//!
//! A particle whose mid-point is at `x` stands at `x - d/2` in the first image and at `x + d/2` in the
//! second, where `d` is the displacement at `x`: so the truth belongs to the middle of the way, as
//! a window's correlation measures it. A particle's light is a Gaussian integrated over each pixel
//! (Raffel et al., *Particle Image Velocimetry*, on artificial images).

use crate::Image;
use std::{error::Error, fmt};

/// A displacement field in the plane of the image, px from one image to the next.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Flow {
    /// The same everywhere.
    Uniform {
        /// To the right.
        dx: f64,
        /// Downwards.
        dy: f64,
    },
    /// A solid body that turns about a centre.
    Rotation {
        /// Centre, px from the left.
        x: f64,
        /// Centre, px from the top.
        y: f64,
        /// Angle, rad; positive turns x towards y.
        angle: f64,
    },
    /// A Lamb-Oseen vortex.
    Vortex {
        /// Centre, px from the left.
        x: f64,
        /// Centre, px from the top.
        y: f64,
        /// Largest displacement, px.
        peak: f64,
        /// Radius at which it is reached, px.
        radius: f64,
    },
    /// A displacement to the right that grows downwards.
    Shear {
        /// At the top, px.
        dx: f64,
        /// Growth, px per px.
        rate: f64,
    },
}

impl Flow {
    /// The displacement at a point, px.
    pub fn displacement(&self, x: f64, y: f64) -> (f64, f64) {
        match *self {
            Flow::Uniform { dx, dy } => (dx, dy),
            Flow::Rotation { x: cx, y: cy, angle } => (-angle * (y - cy), angle * (x - cx)),
            Flow::Shear { dx, rate } => (dx + rate * y, 0.0),
            Flow::Vortex { x: cx, y: cy, peak, radius } => {
                // The azimuthal velocity peaks where r²/rc² = 1.25643…, with 0.63817… of Γ/(2π rc).
                let (rx, ry) = (x - cx, y - cy);
                let core = radius / 1.256_431_f64.sqrt();
                let r2 = (rx * rx + ry * ry).max(1e-9);
                let turn = peak * core / 0.638_172_7 * -(-r2 / (core * core)).exp_m1() / r2;
                (-turn * ry, turn * rx)
            }
        }
    }
}

/// How the images are made.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthParams {
    /// Width, px.
    pub width: usize,
    /// Height, px.
    pub height: usize,
    /// Particles per pixel.
    pub density: f64,
    /// Diameter of a particle's image (four standard deviations of its Gaussian), px.
    pub particle_diameter: f64,
    /// Light of the brightest particle at its centre, counts.
    pub intensity: f64,
    /// Standard deviation of the noise, counts.
    pub noise: f64,
    /// Share of the first image's particles that are not in the second one, where as many others are: what moves
    /// through the sheet of light, 0 to 1.
    pub pair_loss: f64,
    /// Share of pixels, others in each image, that are half as bright again as the brightest particle: salt noise,
    /// 0 to 1.
    pub salt: f64,
    /// Light of the second image over that of the first: two lasers are seldom equal.
    pub second_light: f64,
    /// Background at the right border, counts; it grows in proportion to the distance from the left one.
    pub background: f64,
    /// The same seed gives the same images.
    pub seed: u64,
}

impl Default for SynthParams {
    fn default() -> Self {
        SynthParams {
            width: 512,
            height: 512,
            density: 0.05,
            particle_diameter: 3.0,
            intensity: 20_000.0,
            noise: 200.0,
            pair_loss: 0.0,
            salt: 0.0,
            second_light: 1.0,
            background: 0.0,
            seed: 1,
        }
    }
}

/// A parameter that makes no sense.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthError {
    name: &'static str,
    wanted: &'static str,
}

impl fmt::Display for SynthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parameter `{}` must be {}", self.name, self.wanted)
    }
}

impl Error for SynthError {}

impl SynthParams {
    /// Checks every value.
    ///
    /// # Errors
    /// The first parameter that makes no sense.
    pub fn validate(&self) -> Result<(), SynthError> {
        let check = |good, name, wanted| if good { Ok(()) } else { Err(SynthError { name, wanted }) };
        let side = 1..=32_768;
        check(side.contains(&self.width), "width", "1 to 32768 px")?;
        check(side.contains(&self.height), "height", "1 to 32768 px")?;
        check((0.0..=10.0).contains(&self.density), "density", "0 to 10 particles per pixel")?;
        check((0.1..=100.0).contains(&self.particle_diameter), "particle_diameter", "0.1 to 100 px")?;
        check((0.0..=65_535.0).contains(&self.intensity), "intensity", "0 to 65535 counts")?;
        check((0.0..=65_535.0).contains(&self.noise), "noise", "0 to 65535 counts")?;
        check((0.0..=1.0).contains(&self.pair_loss), "pair_loss", "0 to 1")?;
        check((0.0..=1.0).contains(&self.salt), "salt", "0 to 1")?;
        check((0.0..=10.0).contains(&self.second_light), "second_light", "0 to 10")?;
        check((0.0..=65_535.0).contains(&self.background), "background", "0 to 65535 counts")
    }
}

/// The couple number `index` of a series: two images, the second one step of `flow` later.
///
/// ```
/// use terzetto_kernels::{Flow, PivParams, PivPlan, SynthParams, synth_couple};
/// let params = SynthParams { width: 96, height: 96, ..SynthParams::default() };
/// let (first, second) = synth_couple(&params, &Flow::Uniform { dx: 3.3, dy: -1.6 }, 0)?;
/// let field = PivPlan::new(&PivParams::default(), 96, 96)?.compute(&first, &second)?;
/// let middle = field.get(2, 2).ok_or("no window")?;
/// assert!((middle.dx - 3.3).abs() < 0.2 && (middle.dy + 1.6).abs() < 0.2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A parameter that makes no sense.
pub fn synth_couple(params: &SynthParams, flow: &Flow, index: u64) -> Result<(Image, Image), SynthError> {
    params.validate()?;
    let mut rng = fastrand::Rng::with_seed(params.seed ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (width, height) = (params.width as f64, params.height as f64);
    // Particles also start outside, from where the flow may carry them in.
    let margin = 16.0 + 2.0 * params.particle_diameter;
    let area = (width + 2.0 * margin) * (height + 2.0 * margin);
    let mut pixels = [0, 1].map(|_| vec![0.0_f32; params.width * params.height]);
    for _ in 0..(area * params.density).round() as u64 {
        let x = rng.f64() * (width + 2.0 * margin) - margin;
        let y = rng.f64() * (height + 2.0 * margin) - margin;
        let light = params.intensity * (0.3 + 0.7 * rng.f64());
        let (dx, dy) = flow.displacement(x, y);
        draw(&mut pixels[0], params, x - 0.5 * dx, y - 0.5 * dy, light);
        // A particle that leaves the sheet of light makes room for another one elsewhere.
        let (x, y) = if params.pair_loss > 0.0 && rng.f64() < params.pair_loss {
            let elsewhere = |size: f64, at: f64| at * (size + 2.0 * margin) - margin;
            (elsewhere(width, rng.f64()), elsewhere(height, rng.f64()))
        } else {
            (x + 0.5 * dx, y + 0.5 * dy)
        };
        draw(&mut pixels[1], params, x, y, light * params.second_light);
    }
    for (index, value) in pixels.iter_mut().flat_map(|image| image.iter_mut().enumerate()) {
        // A sum of uniform numbers is normal enough for noise.
        let normal = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
        let background = params.background * (index % params.width) as f64 / width;
        let light = f64::from(*value) + background + params.noise * (normal + 3.0);
        *value = light.clamp(0.0, 65_535.0) as f32;
        if params.salt > 0.0 && rng.f64() < params.salt {
            *value = (1.5 * params.intensity).min(65_535.0) as f32;
        }
    }
    let [first, second] = pixels.map(|data| {
        let width = params.width;
        Image::from_fn(width, params.height, |x, y| data[y * width + x])
    });
    Ok((first, second))
}

/// Adds the light of one particle, whose centre is in pixel coordinates (pixel centres are whole).
fn draw(pixels: &mut [f32], params: &SynthParams, x: f64, y: f64, light: f64) {
    let sigma = params.particle_diameter / 4.0;
    let reach = (4.0 * sigma).ceil() + 1.0;
    let range = |centre: f64, size: usize| {
        let low = (centre - reach).round().max(0.0) as usize;
        let high = ((centre + reach).round() + 1.0).clamp(0.0, size as f64) as usize;
        low..high.max(low)
    };
    // The integral over one pixel, relative to that of a pixel at the centre of a wide particle.
    let share = |at: usize, centre: f64| {
        let scale = std::f64::consts::SQRT_2 * sigma;
        let (low, high) = ((at as f64 - 0.5 - centre) / scale, (at as f64 + 0.5 - centre) / scale);
        (erf(high) - erf(low)) * sigma * (std::f64::consts::PI / 2.0).sqrt()
    };
    for row in range(y, params.height) {
        let vertical = light * share(row, y);
        for column in range(x, params.width) {
            pixels[row * params.width + column] += (vertical * share(column, x)) as f32;
        }
    }
}

/// The error function, to 1.5e-7 (Abramowitz and Stegun, *Handbook of Mathematical Functions*, 7.1.26).
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let series =
        0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429)));
    (1.0 - t * series * (-x * x).exp()).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn couple(params: &SynthParams) -> [Image; 2] {
        let (first, second) = synth_couple(params, &Flow::Uniform { dx: 0.0, dy: 0.0 }, 0).unwrap();
        [first, second]
    }

    fn quiet() -> SynthParams {
        SynthParams { width: 128, height: 128, noise: 0.0, ..SynthParams::default() }
    }

    fn sum(image: &Image) -> f64 {
        image.data().iter().map(|&value| f64::from(value)).sum()
    }

    #[test]
    fn lost_partners_are_as_many_as_asked_for_and_leave_the_light_as_it_is() {
        // Without displacement, what has its partner cancels out.
        for pair_loss in [0.0, 0.25, 1.0] {
            let density = 0.005;
            let [first, second] = couple(&SynthParams { pair_loss, density, ..quiet() });
            let different: f64 =
                first.data().iter().zip(second.data()).map(|(a, b)| f64::from((a - b).abs())).sum();
            let share = different / (sum(&first) + sum(&second));
            assert!((share - pair_loss).abs() < 0.12, "{share} for {pair_loss}");
            assert!((sum(&second) / sum(&first) - 1.0).abs() < 0.25);
        }
    }

    #[test]
    fn salt_light_and_background_are_as_asked_for() {
        let [first, _] = couple(&SynthParams { salt: 0.1, density: 0.0, ..quiet() });
        let salt = first.data().iter().filter(|&&value| value == 30_000.0).count();
        assert!((salt as f64 / first.data().len() as f64 - 0.1).abs() < 0.02);
        let [first, second] = couple(&SynthParams { second_light: 0.5, ..quiet() });
        assert!((sum(&second) / sum(&first) - 0.5).abs() < 1e-3);
        let [first, _] = couple(&SynthParams { background: 1280.0, density: 0.0, ..quiet() });
        assert_eq!([first.get(0, 5), first.get(64, 9)], [Some(0.0), Some(640.0)]);
        assert!(
            synth_couple(&SynthParams { salt: 2.0, ..quiet() }, &Flow::Uniform { dx: 0.0, dy: 0.0 }, 0)
                .is_err()
        );
    }
}
