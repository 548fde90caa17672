//! The uncertainty of vectors against errors that are known: in how many vectors the error is smaller.

use terzetto_kernels::{
    Flow, MultipassParams, MultipassPlan, PivResult, SynthParams, multipass::Predictor,
    subpixel::SubpixelMethod, synth::synth_couple,
};

/// What errors and uncertainties of many vectors say.
struct Found {
    /// Share of errors within one and within two standard deviations.
    coverage: [f64; 2],
    /// Root mean squares, px.
    error: f64,
    uncertainty: f64,
}

fn measure(scene: &SynthParams, flow: &Flow, window: usize, method: SubpixelMethod) -> Found {
    let mut params = MultipassParams::zoom(2 * window, 2);
    params.uncertainty = true;
    for pass in &mut params.passes {
        pass.predictor = Predictor::Deform;
        pass.subpixel.method = method;
    }
    let scene =
        SynthParams { width: 512, height: 512, density: 0.05, particle_diameter: 2.5, ..scene.clone() };
    let mut plan = MultipassPlan::new(&params, 512, 512).expect("a plan");
    let (mut within, mut count, mut squares) = ([0.0; 2], 0.0, [0.0; 2]);
    for couple in 0..2 {
        let (first, second) = synth_couple(&scene, flow, couple).expect("images");
        let result = plan.compute(&first, &second).expect("fields");
        let field = result.passes.last().expect("a pass");
        assert_eq!(result.uncertainty.len(), field.vectors.len());
        for (vector, deviations) in field.vectors.iter().zip(&result.uncertainty) {
            let inside = |at: f64| (40.0..472.0).contains(&at);
            if !vector.flags.is_valid() || !inside(vector.x) || !inside(vector.y) {
                continue;
            }
            let (u, v) = flow.displacement(vector.x, vector.y);
            for (error, deviation) in [vector.dx - u, vector.dy - v].into_iter().zip(deviations) {
                assert!(*deviation > 0.0, "a valid vector has an uncertainty: {vector:?}");
                count += 1.0;
                squares[0] += error * error;
                squares[1] += deviation * deviation;
                for (share, factor) in within.iter_mut().zip([1.0, 2.0]) {
                    *share += f64::from(u8::from(error.abs() <= factor * deviation));
                }
            }
        }
    }
    let [error, uncertainty] = squares.map(|sum| (sum / count).sqrt());
    Found { coverage: within.map(|share| share / count), error, uncertainty }
}

#[test]
fn piv_uncertainty_covers_68_percent_of_known_errors() {
    let light = SynthParams::default().intensity;
    let plain = SynthParams::default();
    let uniform = Flow::Uniform { dx: 3.3, dy: -1.6 };
    let vortex = Flow::Vortex { x: 256.0, y: 256.0, peak: 4.0, radius: 120.0 };
    for (name, scene, flow) in [
        ("noise 5 %", SynthParams { noise: 0.05 * light, ..plain.clone() }, &uniform),
        ("noise 10 %", SynthParams { noise: 0.1 * light, ..plain.clone() }, &uniform),
        ("loss 10 %", SynthParams { pair_loss: 0.1, ..plain.clone() }, &uniform),
        ("loss 20 %", SynthParams { pair_loss: 0.2, ..plain.clone() }, &uniform),
        ("vortex, noise 10 %", SynthParams { noise: 0.1 * light, ..plain.clone() }, &vortex),
        ("vortex, loss 10 %", SynthParams { pair_loss: 0.1, ..plain }, &vortex),
    ] {
        for (window, method) in [32, 16].into_iter().flat_map(|window| METHODS.map(|method| (window, method)))
        {
            let Found { coverage: [one, two], error, uncertainty } = measure(&scene, flow, window, method);
            let case = format!(
                "{name}, {window} px, {method:?}: {:.1} % within one, {:.1} % within two deviations; error {error:.4}, \
                 uncertainty {uncertainty:.4} px",
                100.0 * one,
                100.0 * two
            );
            println!("{case}");
            // Of a normal distribution, 68 and 95 % are.
            assert!((0.54..0.75).contains(&one) && (0.87..0.98).contains(&two), "{case}");
            assert!((0.8..1.15).contains(&(uncertainty / error)), "{case}");
        }
    }
}

const METHODS: [SubpixelMethod; 2] = [SubpixelMethod::Gaussian3, SubpixelMethod::Gaussian2d];

#[test]
fn piv_uncertainty_is_there_on_request_only_and_nan_where_a_vector_is_not_valid() {
    let scene = SynthParams { width: 128, height: 128, ..SynthParams::default() };
    let (first, mut second) = synth_couple(&scene, &Flow::Uniform { dx: 2.3, dy: 0.4 }, 0).expect("images");
    for y in 0..48 {
        second.data_mut()[y * 128..][..48].fill(7.0);
    }
    let mut params = MultipassParams::zoom(32, 2);
    let plain =
        MultipassPlan::new(&params, 128, 128).expect("a plan").compute(&first, &second).expect("fields");
    assert!(plain.uncertainty.is_empty());
    params.uncertainty = true;
    let result =
        MultipassPlan::new(&params, 128, 128).expect("a plan").compute(&first, &second).expect("fields");
    let displacements = |result: &PivResult| -> Vec<[u64; 2]> {
        result.passes[1].vectors.iter().map(|vector| [vector.dx.to_bits(), vector.dy.to_bits()]).collect()
    };
    assert_eq!(displacements(&result), displacements(&plain), "the vectors are the same");
    let mut finite = 0;
    for (vector, deviation) in result.passes[1].vectors.iter().zip(&result.uncertainty) {
        assert!(vector.flags.is_valid() || deviation[0].is_nan());
        finite += usize::from(deviation[0].is_finite() && deviation[1].is_finite());
    }
    assert!(finite > 150 && finite < result.uncertainty.len(), "{finite}");
}
