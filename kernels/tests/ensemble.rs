//! Correlations that are added up over couples.

use terzetto_kernels::{
    Flags, Flow, Image, MultipassParams, MultipassPlan, PivError, SynthParams, VectorField,
    multipass::Predictor, synth_couple,
};

const SIDE: usize = 128;
const FLOW: Flow = Flow::Vortex { x: 64.0, y: 64.0, peak: 3.0, radius: 40.0 };

/// Couples with one or two particles in a window of 16 px.
fn couples(count: u64) -> Vec<[Image; 2]> {
    let scene =
        SynthParams { width: SIDE, height: SIDE, density: 0.006, noise: 500.0, ..SynthParams::default() };
    let couple = |index| {
        let (first, second) = synth_couple(&scene, &FLOW, index).expect("images");
        [first, second]
    };
    (0..count).map(couple).collect()
}

fn ensemble(plan: &mut MultipassPlan, couples: &[[Image; 2]]) -> VectorField {
    let result = plan.compute_ensemble(couples.len(), |index| Ok::<_, PivError>(couples[index].clone()));
    result.expect("a field").passes.pop().expect("a pass")
}

/// Share of vectors that are valid and right, and the root mean square error of a component of these, px.
fn judge(field: &VectorField) -> (f64, f64) {
    let (mut good, mut squares) = (0.0, 0.0);
    for vector in &field.vectors {
        let (u, v) = FLOW.displacement(vector.x, vector.y);
        let square = (vector.dx - u).powi(2) + (vector.dy - v).powi(2);
        if vector.flags.is_valid() && square < 0.25 {
            good += 1.0;
            squares += square / 2.0;
        }
    }
    (good / field.vectors.len() as f64, (squares / good).sqrt())
}

#[test]
fn piv_ensemble_finds_displacements_where_one_couple_has_too_few_particles() {
    let couples = couples(30);
    for predictor in [Predictor::Shift, Predictor::Deform] {
        let mut params = MultipassParams::zoom(32, 2);
        params.passes.iter_mut().for_each(|pass| pass.predictor = predictor);
        let mut plan = MultipassPlan::new(&params, SIDE, SIDE).expect("a plan");
        let alone =
            plan.compute(&couples[0][0], &couples[0][1]).expect("a field").passes.pop().expect("a pass");
        let (alone, _) = judge(&alone);
        let field = ensemble(&mut plan, &couples);
        let (together, error) = judge(&field);
        println!("{predictor:?}: one couple {alone:.3} good, thirty {together:.3}, error {error:.4} px");
        assert!(alone < 0.85 && together > 0.97 && error < 0.1, "{predictor:?}: {alone} {together} {error}");
        assert!(field.vectors.iter().all(|vector| vector.correlation <= 1.0));
        // A plan has no memory of the couples before.
        let again =
            plan.compute(&couples[0][0], &couples[0][1]).expect("a field").passes.pop().expect("a pass");
        assert_eq!(judge(&again).0, alone);
    }
}

#[test]
fn piv_ensemble_of_one_couple_is_that_couple() {
    let scene = SynthParams { width: SIDE, height: SIDE, ..SynthParams::default() };
    let (first, second) = synth_couple(&scene, &FLOW, 0).expect("images");
    let mut plan = MultipassPlan::new(&MultipassParams::zoom(32, 2), SIDE, SIDE).expect("a plan");
    let alone = plan.compute(&first, &second).expect("a field").passes.pop().expect("a pass");
    let field = ensemble(&mut plan, &[[first, second]]);
    for (found, wanted) in field.vectors.iter().zip(&alone.vectors) {
        assert!(
            (found.dx - wanted.dx).abs() < 1e-4 && (found.dy - wanted.dy).abs() < 1e-4,
            "{found:?} {wanted:?}"
        );
    }
}

#[test]
fn piv_ensemble_leaves_out_couples_that_have_nothing_to_correlate_and_tells_errors() {
    let mut couples = couples(20);
    // Lids that are closed.
    couples.insert(0, [0, 1].map(|_| Image::from_fn(SIDE, SIDE, |_, _| 7.0)));
    let mut plan = MultipassPlan::new(&MultipassParams::zoom(32, 2), SIDE, SIDE).expect("a plan");
    let (good, _) = judge(&ensemble(&mut plan, &couples));
    assert!(good > 0.95, "{good}");
    let dark = ensemble(&mut plan, &couples[..1]);
    assert!(dark.vectors.iter().all(|vector| vector.flags.contains(Flags::NO_SIGNAL)));
    let none = plan.compute_ensemble(0, |_| Err(PivError::Spline { points: 0 }));
    assert!(none.expect_err("no couple").to_string().contains("`count`"));
    let broken = plan.compute_ensemble(2, |index| match index {
        0 => Ok(couples[1].clone()),
        _ => Err(PivError::Spline { points: 5 }),
    });
    assert_eq!(broken, Err(PivError::Spline { points: 5 }));
}
