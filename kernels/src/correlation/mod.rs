//! Cross-correlation: how well the pattern of one window fits another at each displacement.
//!
//! For windows `a` and `b` of `n` by `n` pixels, means removed, the correlation at displacement `d` is
//!
//! ```text
//! c(d) = sum over x of a(x) b(x + d)  /  (|a| |b|)
//! ```
//!
//! `|a| |b|`, the root of the product of the windows' energies, makes the correlation of a window with
//! itself 1, and no other larger. The noise of such a map is the same everywhere, so that peaks are searched in it.
//!
//! At `d`, only the share `s(d) = (1 - |dx|/n) (1 - |dy|/n)` of the pixels has a partner. A peak of `c` is therefore
//! biased towards zero (Raffel et al., *Particle Image Velocimetry*, on the bias of windows), and that of
//! `c(d) / s(d)` ([`CorrelationMap::unbiased`]) is not: it is what sub-pixel fits see. How well two windows fit at a
//! peak is what [`Couple::coefficient`] tells: the correlation of those pixels alone that have a partner.
//!
//! [`CorrelationMethod`] chooses how the sum is computed; [`Correlator`] is the plan of one window size.

mod direct;
mod fourier;
mod map;
mod peaks;

use crate::{PivError, lanes};
use direct::Direct;
use fourier::Fourier;
pub use map::CorrelationMap;
pub use peaks::{MAX_PEAKS, Peak, Peaks};
use serde::{Deserialize, Serialize};

/// How the correlation is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CorrelationMethod {
    /// By Fourier transform, as if the windows were periodic: the fastest. What wraps around is other
    /// particles and so noise, which grows with the displacement. The search goes to `window / 2 - 1`.
    #[default]
    Circular,
    /// By Fourier transform of windows padded with zeros, so that nothing wraps around: about twice the
    /// work, for displacements of more than a quarter of the window.
    Padded,
    /// Sums over the pixels, without transform: for small windows searched over a few pixels.
    Direct,
}

impl CorrelationMethod {
    /// The name that parameter and result files give it.
    pub fn name(self) -> &'static str {
        match self {
            CorrelationMethod::Circular => "circular",
            CorrelationMethod::Padded => "padded",
            CorrelationMethod::Direct => "direct",
        }
    }

    /// The largest displacement along an axis that can be searched with windows of a size, px.
    pub fn largest_reach(self, window: usize) -> usize {
        match self {
            CorrelationMethod::Circular => (window / 2).saturating_sub(1),
            CorrelationMethod::Padded | CorrelationMethod::Direct => window.saturating_sub(2),
        }
    }
}

/// Two windows of the same size, row-major, means removed, and their norms.
#[derive(Debug, Clone, Copy)]
pub struct Couple<'a> {
    /// From the first image.
    pub first: &'a [f32],
    /// From the second image.
    pub second: &'a [f32],
    /// The Euclidean norm of each.
    pub norms: [f32; 2],
}

impl Couple<'_> {
    /// The correlation of the pixels that have a partner at a displacement, whatever the others are: from -1 to 1, and
    /// 0 where no pixel has a partner or all of them are zero.
    ///
    /// ```
    /// use terzetto_kernels::correlation::Couple;
    /// // A pattern that moves by two pixels, and loses one of its pixels behind the border.
    /// let mut windows = [[0.0; 16]; 2];
    /// (windows[0][4], windows[0][5], windows[0][7]) = (3.0, 4.0, 9.0);
    /// (windows[1][6], windows[1][7]) = (3.0, 4.0);
    /// let couple = Couple { first: &windows[0], second: &windows[1], norms: [106_f32.sqrt(), 5.0] };
    /// assert!((couple.coefficient(2, 0) - 1.0).abs() < 1e-6);
    /// assert_eq!(couple.coefficient(4, 0), 0.0);
    /// ```
    pub fn coefficient(&self, dx: i32, dy: i32) -> f32 {
        let Some(Overlap { n, corners, size: [columns, rows] }) = self.overlap(dx, dy) else { return 0.0 };
        let mut sums = [0.0; 8];
        for row in 0..rows {
            let [a, b] = corners.map(|corner| corner + row * n);
            lanes::add_products(&self.first[a..a + columns], &self.second[b..b + columns], &mut sums);
        }
        self.coefficient_of(sums.iter().sum(), dx, dy)
    }

    /// The same, of the sum of the products of all pixels that have a partner.
    pub(crate) fn coefficient_of(&self, product: f32, dx: i32, dy: i32) -> f32 {
        let Some(Overlap { n, corners, size }) = self.overlap(dx, dy) else { return 0.0 };
        let energy = |window: &[f32], corner: usize, norm: f32| {
            // What lies outside of the part is less, most often, and is taken off the whole.
            let whole = norm * norm;
            let inside = whole - energy_outside(window, n, corner, size);
            if inside > 0.1 * whole { inside } else { energy_inside(window, n, corner, size) }
        };
        let norm = energy(self.first, corners[0], self.norms[0]).sqrt()
            * energy(self.second, corners[1], self.norms[1]).sqrt();
        // What exceeds 1 is rounding: the scalar product is at most the product of the norms.
        if norm > 0.0 { (product / norm).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// The pixels that have a partner at a displacement; none if there are none.
    fn overlap(&self, dx: i32, dy: i32) -> Option<Overlap> {
        let n = self.first.len().isqrt();
        let start = |d: i32| (-d).max(0) as usize;
        let size = [dx, dy].map(|d| n.saturating_sub(d.unsigned_abs() as usize));
        let corners = [start(dy) * n + start(dx), start(-dy) * n + start(-dx)];
        (size[0] * size[1] > 0).then_some(Overlap { n, corners, size })
    }
}

/// The part of both windows whose pixels have a partner.
struct Overlap {
    /// Side of the windows, px.
    n: usize,
    /// Its first pixel in each window.
    corners: [usize; 2],
    /// Its columns and rows.
    size: [usize; 2],
}

/// The energy of a part of a window, from a corner on.
fn energy_inside(window: &[f32], n: usize, corner: usize, [columns, rows]: [usize; 2]) -> f32 {
    let mut sums = [0.0; 8];
    for line in window[corner..].chunks(n).take(rows) {
        lanes::add_products(&line[..columns], &line[..columns], &mut sums);
    }
    sums.iter().sum()
}

/// The energy of all but that part.
fn energy_outside(window: &[f32], n: usize, corner: usize, [columns, rows]: [usize; 2]) -> f32 {
    let (left, top) = (corner % n, corner / n);
    let mut sums = [0.0; 8];
    for part in [&window[..top * n], &window[(top + rows) * n..]] {
        lanes::add_products(part, part, &mut sums);
    }
    // The part reaches one of both borders.
    let strip = if left > 0 { 0..left } else { columns..n };
    let middle = window[top * n..(top + rows) * n].chunks_exact(n).map(|line| &line[strip.clone()]);
    if strip.len() >= 8 {
        middle.for_each(|part| lanes::add_products(part, part, &mut sums));
    } else {
        for part in middle {
            sums[0] += part.iter().map(|value| value * value).sum::<f32>();
        }
    }
    sums.iter().sum()
}

/// Correlates windows of one size; made once, one for each worker.
///
/// ```
/// use terzetto_kernels::correlation::{CorrelationMap, Correlator, Couple, CorrelationMethod};
///
/// // One bright pixel that moves by (2, -1) pixels.
/// let mut windows = [[0.0; 64]; 2];
/// windows[0][3 * 8 + 3] = 1.0;
/// windows[1][2 * 8 + 5] = 1.0;
/// let couple = Couple { first: &windows[0], second: &windows[1], norms: [1.0, 1.0] };
/// let mut correlator = Correlator::new(CorrelationMethod::Padded, 8, 5)?;
/// let mut map = CorrelationMap::new(4, 1);
/// correlator.correlate(couple, &mut map);
/// let peak = map.peaks(1, 2).first().ok_or("no peak")?;
/// assert_eq!((peak.dx, peak.dy), (2, -1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Correlator {
    engine: Engine,
    radius: usize,
}

enum Engine {
    Fourier(Box<Fourier>),
    Direct(Direct),
}

impl Correlator {
    /// A plan for windows of `window` by `window` px and maps of at most `radius` px.
    ///
    /// # Errors
    /// A `window` below 4 px, a `radius` of more than one pixel beyond what the method can search.
    pub fn new(method: CorrelationMethod, window: usize, radius: usize) -> Result<Correlator, PivError> {
        PivError::check((4..=4096).contains(&window), "window", window, "4 to 4096 px")?;
        let largest = method.largest_reach(window) + 1;
        let wanted = "1 px to what the method can search in such a window";
        PivError::check((1..=largest).contains(&radius), "radius", radius, wanted)?;
        let engine = match method {
            CorrelationMethod::Circular => Engine::Fourier(Box::new(Fourier::new(window, window))),
            // What wraps around the padded plane stays beyond the radius.
            CorrelationMethod::Padded => {
                Engine::Fourier(Box::new(Fourier::new(window, smooth(window + radius))))
            }
            CorrelationMethod::Direct => Engine::Direct(Direct::new(window)),
        };
        Ok(Correlator { engine, radius })
    }

    /// The correlation of one couple of windows; two at a time cost less: see
    /// [`correlate_two`](Correlator::correlate_two).
    ///
    /// # Panics
    /// If a window is not of the plan's size, or the map is larger than planned.
    pub fn correlate(&mut self, couple: Couple<'_>, map: &mut CorrelationMap) {
        assert!(map.radius() <= self.radius, "a map of radius {}, planned {}", map.radius(), self.radius);
        match &mut self.engine {
            Engine::Fourier(fourier) => fourier.correlate([Some(couple), None], [Some(map), None]),
            Engine::Direct(direct) => direct.correlate(couple, map),
        }
    }

    /// The correlations of two couples of windows, which share the inverse transform.
    ///
    /// # Panics
    /// If a window is not of the plan's size, or a map is larger than planned.
    pub fn correlate_two(&mut self, couples: [Couple<'_>; 2], maps: &mut [CorrelationMap; 2]) {
        let [first, second] = maps;
        for map in [&*first, &*second] {
            assert!(map.radius() <= self.radius, "a map of radius {}, planned {}", map.radius(), self.radius);
        }
        match &mut self.engine {
            Engine::Fourier(fourier) => fourier.correlate(couples.map(Some), [Some(first), Some(second)]),
            Engine::Direct(direct) => {
                direct.correlate(couples[0], first);
                direct.correlate(couples[1], second);
            }
        }
    }
}

/// The next number of which transforms are fast: a product of twos and threes.
fn smooth(number: usize) -> usize {
    let is_smooth = |mut number: usize| {
        for factor in [2, 3] {
            while number.is_multiple_of(factor) {
                number /= factor;
            }
        }
        number == 1
    };
    (number.max(1)..).find(|&number| is_smooth(number)).unwrap_or(number)
}

/// The share of a window's pixels that have a partner at a displacement along one axis; where none has, that of one
/// row.
fn share(displacement: isize, window: usize) -> f32 {
    (1.0 - displacement.unsigned_abs() as f32 / window as f32).max(1.0 / window as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u64) -> Vec<f32> {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..n * n).map(|_| rng.f32() - 0.5).collect()
    }

    /// The definition, in double precision; `period` is where windows repeat, if they do.
    fn reference(a: &[f32], b: &[f32], n: usize, d: (isize, isize), period: Option<usize>) -> f32 {
        let size = n as isize;
        let mut sum = 0.0;
        for y in 0..size {
            for x in 0..size {
                let (mut u, mut v) = (x + d.0, y + d.1);
                if let Some(period) = period {
                    (u, v) = (u.rem_euclid(period as isize), v.rem_euclid(period as isize));
                }
                if (0..size).contains(&u) && (0..size).contains(&v) {
                    let product = a[(y * size + x) as usize] * b[(v * size + u) as usize];
                    sum += f64::from(product);
                }
            }
        }
        sum as f32
    }

    #[test]
    fn each_method_equals_its_definition() {
        for n in [8_usize, 15, 16, 24, 32] {
            let windows = [1, 2, 3, 4].map(|seed| noise(n, seed));
            for method in [CorrelationMethod::Circular, CorrelationMethod::Padded, CorrelationMethod::Direct]
            {
                let reach = method.largest_reach(n);
                let mut maps = [CorrelationMap::new(reach, 1), CorrelationMap::new(reach, 1)];
                let couple =
                    |i: usize| Couple { first: &windows[i], second: &windows[i + 2], norms: [0.5, 4.0] };
                let mut correlator = Correlator::new(method, n, reach + 1).unwrap();
                correlator.correlate_two([couple(0), couple(1)], &mut maps);
                let period = (method == CorrelationMethod::Circular).then_some(n);
                let most = reach as isize;
                for d in [(0, 0), (1, -2), (-2, 3), (most, -most), (-most, 1)] {
                    for (index, map) in maps.iter().enumerate() {
                        let (a, b) = (&windows[index], &windows[index + 2]);
                        let wanted = reference(a, b, n, d, period) / 2.0;
                        let found = map.at(d.0 as i32, d.1 as i32).unwrap();
                        let tolerance = 1e-4 * (1.0 + wanted.abs());
                        assert!((found - wanted).abs() < tolerance, "{method:?} {n} {d:?}: {found} {wanted}");
                    }
                }
                let mut alone = CorrelationMap::new(reach, 1);
                correlator.correlate(couple(1), &mut alone);
                let difference = (alone.at(1, 1).unwrap() - maps[1].at(1, 1).unwrap()).abs();
                assert!(difference < 1e-5, "one couple alone gives the same");
            }
        }
    }

    #[test]
    fn smooth_numbers() {
        assert_eq!([1, 5, 33, 48, 49, 97].map(smooth), [1, 6, 36, 48, 54, 108]);
    }

    #[test]
    fn a_window_with_itself_correlates_to_one() {
        let n = 16;
        let a = noise(n, 9);
        let norm = a.iter().map(|value| value * value).sum::<f32>().sqrt();
        for method in [CorrelationMethod::Circular, CorrelationMethod::Padded, CorrelationMethod::Direct] {
            let mut map = CorrelationMap::new(4, 1);
            let couple = Couple { first: &a, second: &a, norms: [norm, norm] };
            Correlator::new(method, n, 5).unwrap().correlate(couple, &mut map);
            let peak = map.peaks(1, 3).first().unwrap();
            assert_eq!((peak.dx, peak.dy), (0, 0));
            assert!((peak.value - 1.0).abs() < 1e-5, "{method:?}: {}", peak.value);
        }
    }

    #[test]
    fn a_radius_beyond_the_method_is_refused() {
        assert!(Correlator::new(CorrelationMethod::Circular, 32, 17).is_err());
        assert!(Correlator::new(CorrelationMethod::Padded, 32, 17).is_ok());
        assert!(Correlator::new(CorrelationMethod::Direct, 32, 0).is_err());
        assert!(Correlator::new(CorrelationMethod::Direct, 2, 1).is_err());
    }
}
