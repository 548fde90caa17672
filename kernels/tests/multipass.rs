//! What further passes are for: displacements beyond half a window, shear, masks, regions, schlieren.

use terzetto_kernels::{
    Flags, Flow, Image, MultipassParams, MultipassPlan, PivResult, SynthParams, VectorField,
    bos::BosPlan,
    multipass::{Mask, Predictor, Region},
    synth_couple,
};

fn scene() -> SynthParams {
    SynthParams { width: 256, height: 256, ..SynthParams::default() }
}

fn compute(params: &MultipassParams, flow: &Flow) -> PivResult {
    let (first, second) = synth_couple(&scene(), flow, 0).unwrap();
    MultipassPlan::new(params, 256, 256).unwrap().compute(&first, &second).unwrap()
}

/// Root mean square of the error's length away from the border, px; every vector counts.
fn error(field: &VectorField, flow: &Flow) -> f64 {
    let inside = |place: f64| (30.0..226.0).contains(&place);
    let squares: Vec<f64> = field
        .vectors
        .iter()
        .filter(|vector| inside(vector.x) && inside(vector.y))
        .map(|vector| {
            let (dx, dy) = flow.displacement(vector.x, vector.y);
            (vector.dx - dx).powi(2) + (vector.dy - dy).powi(2)
        })
        .collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

#[test]
fn small_windows_follow_displacements_beyond_their_size() {
    let flow = Flow::Uniform { dx: 13.4, dy: -9.7 };
    let result = compute(&MultipassParams::zoom(64, 3), &flow);
    let errors: Vec<f64> = result.passes.iter().map(|field| error(field, &flow)).collect();
    println!("windows of 64, 32, 16 px: {errors:.3?} px");
    assert!(errors[2] < 0.1, "{errors:?}");
    assert!(result.passes[2].share_valid() > 0.9);
}

#[test]
fn a_known_mean_displacement_is_enough_for_one_pass() {
    let flow = Flow::Uniform { dx: 40.3, dy: 2.2 };
    let mut params = MultipassParams::zoom(32, 1);
    params.displacement_mean = [40.0, 2.0];
    let result = compute(&params, &flow);
    // Windows near the border look outside the image.
    let middle = result.passes[0].vectors.iter().filter(|v| (60.0..196.0).contains(&v.x));
    let errors: Vec<f64> = middle.map(|v| (v.dx - 40.3).hypot(v.dy - 2.2)).collect();
    assert!(errors.iter().sum::<f64>() / (errors.len() as f64) < 0.08);
}

#[test]
fn deformation_sees_no_shear() {
    let flow = Flow::Shear { dx: -10.0, rate: 0.08 };
    let mut params = MultipassParams::zoom(32, 3);
    params.passes.iter_mut().for_each(|pass| pass.window = 32);
    let shifted = error(&compute(&params, &flow).passes[2], &flow);
    params.passes.iter_mut().for_each(|pass| pass.predictor = Predictor::Deform);
    let deformed = error(&compute(&params, &flow).passes[2], &flow);
    println!("shear of 0.08: {shifted:.3} px shifted, {deformed:.3} px deformed");
    assert!(deformed < 0.5 * shifted && deformed < 0.08, "{deformed} {shifted}");
}

#[test]
fn smoothing_lessens_noise_and_keeps_a_vortex() {
    let flow = Flow::Vortex { x: 128.0, y: 128.0, peak: 5.0, radius: 70.0 };
    let result = compute(&MultipassParams::zoom(32, 2), &flow);
    let (rough, smooth) = (error(&result.passes[1], &flow), error(result.last().unwrap(), &flow));
    println!("vortex: {rough:.3} px measured, {smooth:.3} px smoothed");
    assert!(smooth < 0.75 * rough && smooth < 0.11, "{smooth} {rough}");
}

#[test]
fn a_masked_body_is_told_and_does_not_disturb_the_flow_around_it() {
    let flow = Flow::Uniform { dx: 3.3, dy: 1.4 };
    let (first, second) = synth_couple(&scene(), &flow, 0).unwrap();
    let body = |x: usize, y: usize| (100..156).contains(&x) && (100..156).contains(&y);
    // The body stands still, and is much brighter than the particles.
    let with_body = |image: &Image| {
        let texture = |x: usize, y: usize| ((x * 31 + y * 17) % 50) as f32 * 1000.0;
        Image::from_fn(256, 256, |x, y| if body(x, y) { texture(x, y) } else { image.get(x, y).unwrap() })
    };
    let (first, second) = (with_body(&first), with_body(&second));
    let params = MultipassParams::zoom(32, 2);
    let mask = Mask::from_image(&Image::from_fn(256, 256, |x, y| if body(x, y) { 0.0 } else { 1.0 }));
    let plan = MultipassPlan::new(&params, 256, 256).unwrap();
    let field = plan.with_mask(mask).unwrap().compute(&first, &second).unwrap().passes.pop().unwrap();
    let at = |x: f64, y: f64| {
        let distance = |v: &&terzetto_kernels::Vector| (v.x - x).hypot(v.y - y);
        *field.vectors.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
    };
    assert!(at(128.0, 128.0).flags.contains(Flags::MASKED));
    for (x, y) in [(96.0, 128.0), (160.0, 128.0), (128.0, 96.0), (128.0, 160.0)] {
        let vector = at(x, y);
        assert!((vector.dx - 3.3).hypot(vector.dy - 1.4) < 0.4, "{vector:?}");
    }
    let wrong = MultipassPlan::new(&params, 128, 256).unwrap();
    assert!(wrong.with_mask(Mask::from_image(&Image::from_fn(256, 256, |_, _| 1.0))).is_err());
}

#[test]
fn windows_lie_in_the_region() {
    let mut params = MultipassParams::zoom(32, 2);
    params.region = Some(Region { left: 50, top: 80, width: 100, height: 64 });
    let flow = Flow::Uniform { dx: 2.0, dy: 0.0 };
    let result = compute(&params, &flow);
    for (field, window) in result.passes.iter().zip([32.0, 16.0]) {
        let half = (window - 1.0) / 2.0;
        for vector in &field.vectors {
            assert!((50.0 + half..=149.0 - half).contains(&vector.x));
            assert!((80.0 + half..=143.0 - half).contains(&vector.y));
            assert!((vector.dx - 2.0).abs() < 0.5, "{vector:?}");
        }
    }
    params.region = Some(Region { left: 200, top: 0, width: 100, height: 64 });
    assert!(MultipassPlan::new(&params, 256, 256).err().unwrap().to_string().contains("`region`"));
    params.region = Some(Region { left: usize::MAX, top: 0, width: 100, height: 64 });
    assert!(MultipassPlan::new(&params, 256, 256).is_err());
}

#[test]
fn schlieren_are_displacements_against_the_reference() {
    let flow = Flow::Vortex { x: 128.0, y: 128.0, peak: 0.8, radius: 60.0 };
    let (reference, image) = synth_couple(&scene(), &flow, 0).unwrap();
    let mut plan = BosPlan::new(&MultipassParams::zoom(32, 2), reference.clone()).unwrap();
    assert!(error(plan.compute(&image).unwrap().last().unwrap(), &flow) < 0.06);
    let still = plan.compute(&reference).unwrap();
    assert!(still.passes[1].vectors.iter().all(|v| v.dx.abs() < 1e-3 && v.dy.abs() < 1e-3));
    assert!(plan.compute(&Image::from_fn(255, 256, |_, _| 0.0)).is_err());
}

#[test]
fn a_plan_gives_the_same_again_and_does_not_remember() {
    let flows = [Flow::Uniform { dx: 3.0, dy: 1.0 }, Flow::Shear { dx: -2.0, rate: 0.02 }];
    let couples = flows.map(|flow| synth_couple(&scene(), &flow, 0).unwrap());
    let mut params = MultipassParams::zoom(32, 2);
    params.passes[1].predictor = Predictor::Deform;
    let mut plan = MultipassPlan::new(&params, 256, 256).unwrap();
    let first = plan.compute(&couples[0].0, &couples[0].1).unwrap();
    plan.compute(&couples[1].0, &couples[1].1).unwrap();
    let again = plan.compute(&couples[0].0, &couples[0].1).unwrap();
    // Peak ratios may be infinite but are always there; NaN would be unequal to itself.
    assert_eq!(first, again);
}

#[test]
fn images_without_a_pattern_give_flags_and_numbers() {
    let blank = Image::from_fn(96, 96, |_, _| 100.0);
    let noisy = Image::from_fn(96, 96, |x, _| if x == 40 { f32::NAN } else { (x % 7) as f32 });
    for predictor in [Predictor::Shift, Predictor::Deform] {
        let mut params = MultipassParams::zoom(32, 2);
        params.passes[1].predictor = predictor;
        let mut plan = MultipassPlan::new(&params, 96, 96).unwrap();
        for image in [&blank, &noisy] {
            let result = plan.compute(image, image).unwrap();
            for field in result.passes.iter().chain(&result.smoothed) {
                assert!(field.vectors.iter().all(|v| v.dx.is_finite() && v.dy.is_finite()));
            }
        }
        let result = plan.compute(&blank, &blank).unwrap();
        assert!(result.passes.iter().all(|field| field.share_valid() == 0.0));
    }
}

#[test]
fn piv_rectangular_windows_follow_the_shear_of_a_wall() {
    // Displacements that change by 0.25 px from row to row: a square window of 32 px sees a range of 8 px.
    let flow = Flow::Shear { dx: -30.0, rate: 0.25 };
    let scene = SynthParams { width: 256, height: 256, density: 0.06, ..SynthParams::default() };
    let (first, second) = terzetto_kernels::synth_couple(&scene, &flow, 0).unwrap();
    let measure = |width: usize, height: Option<usize>| {
        let mut params = MultipassParams::zoom(64, 2);
        params.passes[1].window = width;
        params.passes[1].window_height = height;
        params.spline.threshold = f64::INFINITY;
        let mut plan = MultipassPlan::new(&params, 256, 256).unwrap();
        let field = plan.compute(&first, &second).unwrap().passes.pop().unwrap();
        let inside = |at: f64| (48.0..208.0).contains(&at);
        let vectors: Vec<_> = field.vectors.iter().filter(|v| inside(v.x) && inside(v.y)).copied().collect();
        let good = vectors.iter().filter(|vector| {
            let (dx, dy) = flow.displacement(vector.x, vector.y);
            vector.flags.is_valid() && (vector.dx - dx).hypot(vector.dy - dy) < 0.5
        });
        (good.count() as f64 / vectors.len() as f64, field)
    };
    let (square, _) = measure(32, None);
    let (long, field) = measure(64, Some(16));
    println!("{square:.3} of the vectors of square windows are good, {long:.3} of those of long ones");
    assert!(long > 0.75 && long > square + 0.4, "{long} {square}");
    // Half of a window from one to the next, in both directions.
    assert_eq!((field.nx, field.ny), (7, 31));
    let (a, b, c) = (field.vectors[0], field.vectors[1], field.vectors[7]);
    assert_eq!((a.x, a.y, b.x - a.x, c.y - a.y), (31.5, 7.5, 32.0, 8.0));
    assert!(field.vectors.iter().all(|vector| vector.correlation <= 1.0));
    let mut params = MultipassParams::zoom(32, 1);
    params.passes[0].window_height = Some(2);
    assert!(
        MultipassPlan::new(&params, 256, 256).err().unwrap().to_string().contains("`window_height` is 2")
    );
}
