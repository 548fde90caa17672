//! How busy the cores are while a series of couples is computed.

use std::{fs, time::Instant};

use terzetto_executor::{
    ExecutorAsync, Options,
    series::{CoupleRule, list_images, make_couples},
    topologies::{PivSeries, SynthSeries, piv, synth},
};
use terzetto_kernels::{
    PivParams,
    synth::{Flow, SynthParams},
};

/// Synthesises a series, computes it, and prints the processor time used over the time that passed.
pub fn measure(pairs: usize) {
    let folder = std::env::temp_dir().join(format!("terzetto-busy-{}", std::process::id()));
    let (images, out) = (folder.join("images"), folder.join("out"));
    fs::create_dir_all(&images).expect("the folder for temporary files");
    fs::create_dir_all(&out).expect("the folder for temporary files");
    let params = SynthParams { width: 512, height: 512, ..SynthParams::default() };
    let flow = Flow::Vortex { x: 255.5, y: 255.5, peak: 4.0, radius: 150.0 };
    let series = SynthSeries { pairs, params, flow, folder: images.clone() };
    terzetto::run(ExecutorAsync::new(synth(series), Options::new()).expect("sound").compute())
        .expect("synthesised");

    let couples = make_couples(&list_images(&images).expect("images"), CoupleRule::Pairs).couples;
    let series = PivSeries { couples, params: PivParams::default(), folder: out, plots: true };
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let outcome = terzetto::run(ExecutorAsync::new(piv(series), Options::new()).expect("sound").compute())
        .expect("computed");
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get()) as f64;
    println!(
        "{} couples in {wall:.2} s: {cpu:.2} s of processor time, {:.1} % of {cores} cores",
        outcome.done,
        100.0 * cpu / (cores * wall)
    );
    drop(fs::remove_dir_all(folder));
}

/// The processor time that this process has used, user and system.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = |at: usize| {
        let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        fields.clone().nth(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0)
    };
    // Linux counts in hundredths of a second, whatever the kernel's own tick.
    (ticks(11) + ticks(12)) / 100.0
}
