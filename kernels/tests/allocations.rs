//! The work on a window allocates nothing: what it needs was made with the plan. An allocator counts, so this test has
//! a process of its own.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use terzetto_kernels::{
    Flow, MultipassParams, MultipassPlan, SynthParams, multipass::Predictor, synth_couple,
};

/// The system's allocator, which counts.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        // SAFETY: what the caller promises is what the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often a couple allocates in two passes whose windows overlap by this share, and how many windows there are.
fn allocations(predictor: Predictor, overlap: f64) -> (usize, usize) {
    let scene = SynthParams { width: 192, height: 192, ..SynthParams::default() };
    let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 3.0, dy: 1.0 }, 0).unwrap();
    let mut params = MultipassParams::zoom(32, 2);
    for pass in &mut params.passes {
        pass.predictor = predictor;
        pass.overlap = overlap;
    }
    let mut plan = MultipassPlan::new(&params, 192, 192).unwrap();
    plan.compute(&first, &second).unwrap();
    let before = COUNT.load(Relaxed);
    let result = plan.compute(&first, &second).unwrap();
    (COUNT.load(Relaxed) - before, result.passes.iter().map(|field| field.vectors.len()).sum())
}

#[test]
fn no_window_allocates() {
    for predictor in [Predictor::Shift, Predictor::Deform] {
        let (few, windows) = allocations(predictor, 0.0);
        let (many, more_windows) = allocations(predictor, 0.75);
        assert!(more_windows > windows + 300, "{windows} {more_windows}");
        // Filling gaps and smoothing may take a few more, but not one for each window.
        let (more, further) = (many.saturating_sub(few), more_windows - windows);
        assert!(more < further / 20, "{more} more for {further} more windows");
    }
}
