//! The error of PIV on synthetic images with a known displacement.

use terzetto_kernels::{Flow, PivParams, PivPlan, SynthParams, synth_couple};

/// Mean absolute error of both components away from the border, and the share of valid vectors.
fn measure(flow: &Flow) -> (f64, f64) {
    let params = SynthParams { width: 256, height: 256, ..SynthParams::default() };
    let mut plan = PivPlan::new(&PivParams::default(), params.width, params.height).unwrap();
    let (first, second) = synth_couple(&params, flow, 0).unwrap();
    let field = plan.compute(&first, &second).unwrap();
    let inner = |v: &&terzetto_kernels::Vector| v.x > 24.0 && v.y > 24.0 && v.x < 232.0 && v.y < 232.0;
    let errors: Vec<f64> = field
        .vectors
        .iter()
        .filter(inner)
        .filter(|vector| vector.flags.is_valid())
        .flat_map(|vector| {
            let (dx, dy) = flow.displacement(vector.x, vector.y);
            [(vector.dx - dx).abs(), (vector.dy - dy).abs()]
        })
        .collect();
    (errors.iter().sum::<f64>() / errors.len() as f64, field.share_valid())
}

#[test]
fn uniform_displacements_of_2_to_5_px() {
    for (dx, dy) in [(2.0, 0.0), (2.25, -2.5), (3.4, 1.7), (0.3, 4.6), (5.0, 0.0), (-3.5, 3.5)] {
        let (error, valid) = measure(&Flow::Uniform { dx, dy });
        println!("({dx}, {dy}): mean absolute error {error:.4} px, {:.1} % valid", 100.0 * valid);
        assert!(error < 0.05 && valid > 0.97, "({dx}, {dy}): {error} px, {valid} valid");
    }
}

#[test]
fn a_vortex() {
    let (error, valid) = measure(&Flow::Vortex { x: 128.0, y: 128.0, peak: 4.0, radius: 90.0 });
    println!("vortex: mean absolute error {error:.4} px, {:.1} % valid", 100.0 * valid);
    assert!(error < 0.1 && valid > 0.95, "{error} px, {valid} valid");
}

#[test]
fn blank_images_are_flagged() {
    let blank = terzetto_kernels::Image::from_fn(64, 64, |_, _| 7.0);
    let field = PivPlan::new(&PivParams::default(), 64, 64).unwrap().compute(&blank, &blank).unwrap();
    assert_eq!(field.share_valid(), 0.0);
    assert!(field.vectors.iter().all(|vector| vector.dx.is_finite()));
}
