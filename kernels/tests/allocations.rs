//! The work on a window allocates nothing: what it needs was made with the plan. An allocator counts, so this test has
//! a process of its own.

use terzetto_kernels::{
    Flow, MultipassParams, MultipassPlan, SynthParams, multipass::Predictor, synth_couple,
};

/// An allocator that counts.
#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// How often a couple allocates in two passes whose windows overlap by this share, and how many windows there are.
fn allocations(predictor: Predictor, overlap: f64) -> (u64, u64) {
    let scene = SynthParams { width: 192, height: 192, ..SynthParams::default() };
    let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 3.0, dy: 1.0 }, 0).unwrap();
    let mut params = MultipassParams::zoom(32, 2);
    for pass in &mut params.passes {
        pass.predictor = predictor;
        pass.overlap = overlap;
    }
    let mut plan = MultipassPlan::new(&params, 192, 192).unwrap();
    plan.compute(&first, &second).unwrap();
    let before = dhat::HeapStats::get().total_blocks;
    let result = plan.compute(&first, &second).unwrap();
    (
        dhat::HeapStats::get().total_blocks - before,
        result.passes.iter().map(|field| field.vectors.len() as u64).sum(),
    )
}

#[test]
fn no_window_allocates() {
    let _counts = dhat::Profiler::builder().testing().build();
    for predictor in [Predictor::Shift, Predictor::Deform] {
        let (few, windows) = allocations(predictor, 0.0);
        let (many, more_windows) = allocations(predictor, 0.75);
        assert!(more_windows > windows + 300, "{windows} {more_windows}");
        // Filling gaps and smoothing may take a few more, but not one for each window.
        let (more, further) = (many.saturating_sub(few), more_windows - windows);
        assert!(more < further / 20, "{more} more for {further} more windows");
    }
}
