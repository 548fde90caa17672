//! What is valid and what is not: each test's name says what is right.

// The shares are what one wants to see when a test fails.
#![allow(clippy::print_stdout)]

use terzetto_kernels::{
    Flags, Flow, Image, MultipassParams, MultipassPlan, SynthParams, Vector, VectorField,
    multipass::{Mask, Predictor},
    synth_couple,
    validation::{OtherPeak, OtherPeaks, ValidationParams, test},
};

fn scene() -> SynthParams {
    SynthParams { width: 256, height: 256, particle_diameter: 2.5, ..SynthParams::default() }
}

fn still() -> Flow {
    Flow::Uniform { dx: 0.0, dy: 0.0 }
}

#[test]
fn piv_02_unrelated_images_give_next_to_no_valid_vectors() {
    for (window, passes) in [(64, 3), (32, 1), (32, 2), (16, 1)] {
        for predictor in [Predictor::Shift, Predictor::Deform] {
            let mut params = MultipassParams::zoom(window, passes);
            params.passes.iter_mut().for_each(|pass| pass.predictor = predictor);
            let mut plan = MultipassPlan::new(&params, 256, 256).unwrap();
            let shares: Vec<Vec<f64>> = (0..5)
                .map(|index| {
                    let (first, _) = synth_couple(&scene(), &still(), 2 * index).unwrap();
                    let (_, second) = synth_couple(&scene(), &still(), 2 * index + 1).unwrap();
                    let result = plan.compute(&first, &second).unwrap();
                    result.passes.iter().map(VectorField::share_valid).collect()
                })
                .collect();
            println!("{window} px, {passes} passes, {predictor:?}: {shares:.3?}");
            let last: Vec<f64> = shares.iter().filter_map(|shares| shares.last().copied()).collect();
            let mean = last.iter().sum::<f64>() / last.len() as f64;
            assert!(mean < 0.02 && last.iter().all(|&share| share < 0.05), "{last:?}");
        }
    }
}

/// A field of `n` by `n` windows 8 px apart.
fn field(n: usize, displacement: impl Fn(usize, usize) -> [f64; 2]) -> VectorField {
    let vector = |index: usize| {
        let [dx, dy] = displacement(index % n, index / n);
        let (x, y) = (8.0 * (index % n) as f64, 8.0 * (index / n) as f64);
        Vector { x, y, dx, dy, correlation: 0.6, peak_ratio: 1.4, flags: Flags::default() }
    };
    VectorField { nx: n, ny: n, vectors: (0..n * n).map(vector).collect() }
}

/// The vector of the report: (-9.27, 5.06) stayed valid, because its neighbours were wrong when it was judged and took
/// their second peaks afterwards.
#[test]
fn piv_02_a_vector_is_judged_again_after_its_neighbours_have_taken_their_second_peaks() {
    let wild = |i: usize, j: usize| (1..=3).contains(&i) && (1..=3).contains(&j);
    let mut measured = field(9, |i, j| if wild(i, j) { [-9.27, 5.06] } else { [0.0, -0.4] });
    let others: Vec<OtherPeaks> = (0..81)
        .map(|index| {
            let mut others = OtherPeaks::default();
            // All of the wild vectors but the one in the middle have a lower peak that is right.
            if wild(index % 9, index / 9) && index != 2 * 9 + 2 {
                others.push(OtherPeak { dx: 0.0, dy: -0.4, correlation: 0.4 });
            }
            others
        })
        .collect();
    test(&mut measured, &others, &ValidationParams::default());
    for (index, vector) in measured.vectors.iter().enumerate() {
        let is_middle = index == 2 * 9 + 2;
        assert_eq!(vector.flags.is_valid(), !is_middle, "{index}: {:?}", vector.flags.names());
        assert!(is_middle || (vector.dx, vector.dy) == (0.0, -0.4));
    }
}

#[test]
fn piv_02_a_good_vector_beside_wrong_ones_is_valid_once_these_are_known() {
    // Five of the eight around (4, 4) are wrong, each in its own way, and found by those beyond.
    let wrong = [(3, 3), (4, 3), (5, 3), (3, 4), (3, 5)];
    let mut measured = field(9, |i, j| match wrong.iter().position(|&place| place == (i, j)) {
        Some(index) => [7.0 + index as f64, -6.0 - index as f64],
        None => [0.5, 0.2],
    });
    test(&mut measured, &[], &ValidationParams::default());
    for (index, vector) in measured.vectors.iter().enumerate() {
        let is_wrong = wrong.contains(&(index % 9, index / 9));
        assert_eq!(vector.flags.is_valid(), !is_wrong, "{index}: {:?}", vector.flags.names());
    }
}

#[test]
fn piv_02_fewer_than_three_valid_neighbours_need_another_proof() {
    let alone = |correlation: f64, peak_ratio: f64| {
        let mut measured = field(5, |_, _| [0.5, 0.2]);
        for (index, vector) in measured.vectors.iter_mut().enumerate() {
            let (i, j) = (index % 5, index / 5);
            if (1..=3).contains(&i) && (1..=3).contains(&j) && (i, j) != (2, 2) && (i, j) != (1, 1) {
                vector.correlation = 0.0;
            }
        }
        let middle = &mut measured.vectors[12];
        (middle.correlation, middle.peak_ratio) = (correlation, peak_ratio);
        test(&mut measured, &[], &ValidationParams::default());
        measured.vectors[12].flags
    };
    assert_eq!(alone(0.6, 1.4), Flags::UNSUPPORTED);
    assert_eq!(alone(0.3, 8.0), Flags::UNSUPPORTED, "a peak of noise may be alone, too");
    assert_eq!(alone(0.8, 4.0), Flags::default(), "a high peak that stands alone is a proof");
    // Where there are not three neighbours at all, those that there are decide.
    let mut row = field(5, |_, _| [0.5, 0.2]);
    (row.ny, row.vectors) = (1, row.vectors[..5].to_vec());
    test(&mut row, &[], &ValidationParams::default());
    assert_eq!(row.share_valid(), 1.0);
}

/// Normal noise of a standard deviation.
fn noise(rng: &mut fastrand::Rng, deviation: f64) -> f64 {
    deviation * ((0..12).map(|_| rng.f64()).sum::<f64>() - 6.0)
}

#[test]
fn piv_05_a_noisy_field_keeps_its_good_vectors_and_loses_the_wrong_ones() {
    let mut rng = fastrand::Rng::with_seed(7);
    let noisy: Vec<[f64; 2]> = (0..900).map(|_| [noise(&mut rng, 0.3), noise(&mut rng, 0.3)]).collect();
    let of = |params: &ValidationParams| {
        let wrong = |index: usize| index % 23 == 5;
        let mut measured = field(30, |i, j| {
            let [u, v] = noisy[30 * j + i];
            if wrong(30 * j + i) { [u + 5.0, v - 4.0] } else { [u + 0.02 * i as f64, v] }
        });
        test(&mut measured, &[], params);
        let valid = |kind: bool| {
            let all = measured.vectors.iter().enumerate().filter(|(index, _)| wrong(*index) == kind);
            let (valid, all) = all.fold((0.0, 0.0), |(valid, all), (_, vector)| {
                (valid + f64::from(u8::from(vector.flags.is_valid())), all + 1.0)
            });
            valid / all
        };
        (valid(false), valid(true))
    };
    let (good, wrong) = of(&ValidationParams::default());
    assert!(good > 0.985 && wrong == 0.0, "{good} {wrong}");
    let authors = ValidationParams {
        median_threshold: 2.0,
        median_noise: 0.1,
        median_adaptive: false,
        ..ValidationParams::default()
    };
    let (fixed, wrong) = of(&authors);
    assert!(fixed < 0.93 && wrong == 0.0, "without adapting, good ones are lost: {fixed} {wrong}");
}

#[test]
fn piv_05_a_quiet_field_is_judged_as_closely_as_ever() {
    let mut measured = field(9, |i, j| if (i, j) == (4, 4) { [1.2, 0.0] } else { [0.5, 0.0] });
    test(&mut measured, &[], &ValidationParams::default());
    assert_eq!(measured.vectors[40].flags, Flags::MEDIAN_OUTLIER);
    assert!((measured.share_valid() - 80.0 / 81.0).abs() < 1e-12);
}

#[test]
fn piv_09_masked_vectors_have_no_value_and_only_measured_or_missing_ones_are_replaced() {
    let (first, second) = synth_couple(&scene(), &Flow::Uniform { dx: 3.0, dy: 1.0 }, 0).unwrap();
    let mask = Mask::from_image(&Image::from_fn(256, 256, |x, _| if x < 100 { 0.0 } else { 1.0 }));
    // A dark spot in the flow: nothing can be measured there.
    let dark = |image: Image| {
        let inside = |x: usize, y: usize| (140..220).contains(&x) && (90..170).contains(&y);
        Image::from_fn(256, 256, |x, y| if inside(x, y) { 0.0 } else { image.row(y)[x] })
    };
    let (first, second) = (dark(first), dark(second));
    for predictor in [Predictor::Shift, Predictor::Deform] {
        let mut params = MultipassParams::zoom(32, 2);
        params.passes.iter_mut().for_each(|pass| pass.predictor = predictor);
        let mut plan = MultipassPlan::new(&params, 256, 256).unwrap().with_mask(mask.clone()).unwrap();
        let result = plan.compute(&first, &second).unwrap();
        for field in result.passes.iter().chain(&result.smoothed) {
            let masked = |vector: &Vector| vector.flags.contains(Flags::MASKED);
            assert!(field.vectors.iter().any(masked));
            for vector in &field.vectors {
                if masked(vector) {
                    assert!(vector.dx.is_nan() && vector.dy.is_nan() && vector.correlation.is_nan());
                    assert!(!vector.flags.contains(Flags::REPLACED), "nothing was there to be replaced");
                } else {
                    // The border of the spot stands still, and windows there see both.
                    let is_near = (116.0..244.0).contains(&vector.x) && (66.0..194.0).contains(&vector.y);
                    let error = (vector.dx - 3.0).hypot(vector.dy - 1.0);
                    assert!(error < if is_near { 3.0 } else { 0.6 }, "{vector:?}");
                    assert_eq!(vector.flags.contains(Flags::REPLACED), !vector.flags.is_valid());
                }
            }
            let dark = |vector: &&Vector| vector.flags.contains(Flags::NO_SIGNAL);
            assert!(field.vectors.iter().filter(dark).count() > 3);
        }
    }
}

#[test]
fn piv_09_without_a_valid_vector_nothing_is_replaced() {
    let blank = Image::from_fn(128, 128, |_, _| 9.0);
    let result = MultipassPlan::new(&MultipassParams::zoom(32, 2), 128, 128).unwrap().compute(&blank, &blank);
    for vector in result.unwrap().passes.iter().flat_map(|field| &field.vectors) {
        assert_eq!(vector.flags, Flags::NO_SIGNAL);
        assert_eq!((vector.dx, vector.dy), (0.0, 0.0));
    }
}
