//! What correlations are, and how far they are searched: each test's name says what is right.

use terzetto_kernels::{
    Flags, Flow, Image, MultipassParams, MultipassPlan, SynthParams, VectorField,
    correlation::{CorrelationMap, CorrelationMethod, Correlator, Couple},
    multipass::Predictor,
    synth_couple,
};

const METHODS: [CorrelationMethod; 3] =
    [CorrelationMethod::Circular, CorrelationMethod::Padded, CorrelationMethod::Direct];

/// A window of noise without its mean, and its norm.
fn window(n: usize, seed: u64, brightness: f32) -> (Vec<f32>, f32) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut values: Vec<f32> = (0..n * n).map(|_| brightness * rng.f32()).collect();
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter_mut().for_each(|value| *value -= mean);
    let norm = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt() as f32;
    (values, norm)
}

#[test]
fn piv_03_the_correlation_of_a_bright_and_a_dark_window_is_that_of_their_patterns() {
    let n = 32;
    for method in METHODS {
        for brightness in [1.0, 1e-3, 1e-6, 1e-12] {
            let (bright, bright_norm) = window(n, 1, 6e4);
            // The same pattern, moved by (3, -2) around the border, and dark.
            let moved = |index: usize| (index / n + 2) % n * n + (index % n + n - 3) % n;
            let dark: Vec<f32> = (0..n * n).map(|index| brightness * bright[moved(index)]).collect();
            let norm = brightness * bright_norm;
            let couples = [
                Couple { first: &bright, second: &dark, norms: [bright_norm, norm] },
                Couple { first: &dark, second: &bright, norms: [norm, bright_norm] },
            ];
            let mut maps = [CorrelationMap::new(14, 1), CorrelationMap::new(14, 1)];
            Correlator::new(method, n, 15).unwrap().correlate_two(couples, &mut maps);
            for (map, (couple, sign)) in maps.iter().zip(couples.iter().zip([1, -1])) {
                let peak = map.peaks(1, 2).first().unwrap();
                assert_eq!((peak.dx, peak.dy), (3 * sign, -2 * sign), "{method:?} {brightness}");
                assert!(
                    map.values().iter().all(|value| value.abs() <= 1.0 + 1e-5),
                    "{method:?} {brightness}"
                );
                let coefficient = couple.coefficient(peak.dx, peak.dy);
                assert!((coefficient - 1.0).abs() < 1e-5, "{method:?} {brightness}: {coefficient}");
            }
        }
    }
}

#[test]
fn piv_03_no_correlation_exceeds_one_where_few_pixels_overlap() {
    let n = 16;
    // All the light is in one corner of the first window and in the opposite one of the second.
    let corner = |right: bool| {
        let mut values = vec![0.0; n * n];
        let at = if right { 12 } else { 1 };
        for (j, i) in [(0, 0), (0, 1), (1, 0)] {
            values[(at + j) * n + at + i] = 100.0;
        }
        values
    };
    let (first, second) = (corner(false), corner(true));
    let norm = 30_000_f32.sqrt();
    for method in [CorrelationMethod::Padded, CorrelationMethod::Direct] {
        let mut map = CorrelationMap::new(13, 1);
        let couple = Couple { first: &first, second: &second, norms: [norm; 2] };
        Correlator::new(method, n, 14).unwrap().correlate(couple, &mut map);
        let peak = map.peaks(1, 2).first().unwrap();
        assert_eq!((peak.dx, peak.dy), (11, 11));
        assert!((peak.value - 1.0).abs() < 1e-4 && peak.value <= 1.0 + 1e-5, "{method:?}: {}", peak.value);
        assert!((couple.coefficient(11, 11) - 1.0).abs() < 1e-6);
    }
}

/// Fields of every kind of window: bright and dark halves, hot pixels, and corners without light.
fn fields(first: &Image, second: &Image) -> Vec<VectorField> {
    let mut fields = Vec::new();
    for predictor in [Predictor::Shift, Predictor::Deform] {
        for method in METHODS {
            for clip in [false, true] {
                let mut params = MultipassParams::zoom(32, 2);
                for pass in &mut params.passes {
                    (pass.predictor, pass.correlation, pass.clip) = (predictor, method, clip);
                }
                let mut plan = MultipassPlan::new(&params, first.width(), first.height()).unwrap();
                fields.extend(plan.compute(first, second).unwrap().passes);
            }
        }
    }
    fields
}

#[test]
fn piv_03_correlations_are_at_most_one_whatever_lies_beside() {
    let scene =
        SynthParams { width: 128, height: 128, noise: 0.0, intensity: 60_000.0, ..Default::default() };
    let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 2.4, dy: -1.3 }, 0).unwrap();
    for darkness in [0.0, 1e-12, 1e-6, 1e-3] {
        // Windows that are next to each other in a row share a transform: one is bright, one is dark.
        let dark = |image: &Image| {
            Image::from_fn(128, 128, |x, y| image.row(y)[x] * if x / 32 % 2 == 0 { 1.0 } else { darkness })
        };
        for field in fields(&dark(&first), &dark(&second)) {
            for vector in &field.vectors {
                assert!(vector.correlation.abs() <= 1.0, "{darkness}: {vector:?}");
                assert!(vector.dx.is_finite() && vector.dy.is_finite());
            }
        }
    }
}

#[test]
fn piv_03_a_dark_corner_beside_bright_particles_is_no_signal() {
    let scene =
        SynthParams { width: 128, height: 128, noise: 0.0, intensity: 60_000.0, ..Default::default() };
    let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 2.0, dy: 1.0 }, 0).unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    // What a filter leaves of nothing: rounding errors of the bright counts.
    let mut dark = |image: Image| {
        let inside = |x: usize, y: usize| x >= 64 && y >= 64;
        let mut rounding = || 60_000.0 * f32::EPSILON * (rng.f32() - 0.5);
        Image::from_fn(128, 128, |x, y| if inside(x, y) { rounding() } else { image.row(y)[x] })
    };
    let (first, second) = (dark(first), dark(second));
    for field in fields(&first, &second) {
        for vector in &field.vectors {
            // A window that no bright pixel reaches, nor the interpolation of one.
            let is_dark = vector.x > 64.0 + 32.0 && vector.y > 64.0 + 32.0;
            assert!(
                !is_dark || vector.flags.contains(Flags::NO_SIGNAL),
                "{vector:?} {:?}",
                vector.flags.names()
            );
        }
    }
    // A single count in the dark, however, is a signal: the image may have nothing else.
    let spot = |x: usize, y: usize| f32::from(u8::from((x, y) == (100, 100)));
    let faint = Image::from_fn(128, 128, |x, y| if x < 40 { first.row(y)[x] } else { spot(x, y) });
    let field = MultipassPlan::new(&MultipassParams::zoom(32, 1), 128, 128).unwrap().compute(&faint, &faint);
    let field = field.unwrap().passes.pop().unwrap();
    let vector = field.vectors.iter().find(|vector| (vector.x, vector.y) == (95.5, 95.5)).unwrap();
    assert!(!vector.flags.contains(Flags::NO_SIGNAL) && vector.correlation > 0.99, "{vector:?}");
}

#[test]
fn piv_01_particles_of_one_pixel_keep_their_good_vectors() {
    let scene = SynthParams { width: 256, height: 256, particle_diameter: 1.0, ..SynthParams::default() };
    let flow = Flow::Uniform { dx: 3.4, dy: -2.3 };
    let (first, second) = synth_couple(&scene, &flow, 0).unwrap();
    let mut plan = MultipassPlan::new(&MultipassParams::zoom(32, 2), 256, 256).unwrap();
    let field = plan.compute(&first, &second).unwrap().passes.pop().unwrap();
    let of = |flag: Flags| field.vectors.iter().filter(|vector| vector.flags.contains(flag)).count();
    assert!(field.share_valid() > 0.99, "{}", field.share_valid());
    assert!(of(Flags::SUBPIXEL_FAILED) * 100 < field.vectors.len());
    let fallen = |vector: &&terzetto_kernels::Vector| vector.flags.contains(Flags::SUBPIXEL_FALLBACK);
    let fallen: Vec<_> =
        field.vectors.iter().filter(fallen).filter(|vector| vector.flags.is_valid()).collect();
    assert!(fallen.len() > 10, "some fits fail: {}", fallen.len());
    let error = fallen.iter().map(|vector| (vector.dx - 3.4).hypot(vector.dy + 2.3)).sum::<f64>();
    assert!(error / (fallen.len() as f64) < 0.3, "{}", error / fallen.len() as f64);
}

#[test]
fn piv_04_later_passes_search_as_far_as_the_pass_before_left_open() {
    let scene = SynthParams { width: 256, height: 256, ..SynthParams::default() };
    let looks = |first: &Image, second: &Image, change: &dyn Fn(&mut MultipassParams)| {
        let mut params = MultipassParams::zoom(32, 2);
        change(&mut params);
        let mut plan = MultipassPlan::new(&params, 256, 256).unwrap();
        plan.look_near(Some([128.0, 128.0]));
        plan.compute(first, second).unwrap();
        plan.looks().into_iter().map(|look| look.unwrap().map.reach()).collect::<Vec<_>>()
    };
    let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 6.0, dy: -2.0 }, 0).unwrap();
    assert_eq!(looks(&first, &second, &|_| {}), [15, 4], "a good guess needs no long search");
    let told = |params: &mut MultipassParams| params.passes[1].displacement_max = Some(6.0);
    assert_eq!(looks(&first, &second, &told), [15, 6], "what the parameters say is kept");
    let (_, other) = synth_couple(&scene, &Flow::Uniform { dx: 0.0, dy: 0.0 }, 1).unwrap();
    assert_eq!(looks(&first, &other, &|_| {}), [15, 7], "no guess: as far as the window allows");
}
