//! How busy the cores are while a series of couples is computed.
//!
//! On a quiet machine, the processor time divided by the elapsed time shows it. On a shared machine that shows how
//! much others have used. So it is also counted how often at least as many threads wanted to run as there are cores.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use terzetto_executor::{ExecutorAsync, Observer, Options, Statistics};
use terzetto_kernels::{
    PivParams,
    synth::{Flow, SynthParams},
};
use terzetto_program::{
    pipelines::{PivSeries, SynthSeries, piv, synth},
    series::{CoupleRule, list_images, make_couples},
};

/// Makes a synthetic series, computes it, and prints the processor time divided by the elapsed time.
pub fn measure(pairs: usize) {
    let folder = std::env::temp_dir().join(format!("terzetto-busy-{}", std::process::id()));
    let (images, out) = (folder.join("images"), folder.join("out"));
    fs::create_dir_all(&images).expect("the folder for temporary files");
    fs::create_dir_all(&out).expect("the folder for temporary files");
    let params = SynthParams { width: 512, height: 512, ..SynthParams::default() };
    let flow = Flow::Vortex { x: 255.5, y: 255.5, peak: 4.0, radius: 150.0 };
    let series = SynthSeries { pairs, params, flow, folder: images.clone() };
    terzetto::run(ExecutorAsync::new(synth(series), Options::new()).expect("sound").run())
        .expect("synthesised");

    let couples =
        make_couples(&list_images(&images).expect("images"), CoupleRule::Pairs).expect("couples").couples;
    let series = PivSeries::new(couples, (&PivParams::default()).into(), out);
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let mut executor = ExecutorAsync::new(piv(series), Options::new()).expect("sound");
    let samples = Samples::default();
    executor.observe(samples.clone());
    let outcome = terzetto::run(executor.run()).expect("computed");
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get()) as f64;
    println!(
        "{} couples in {wall:.2} s: {cpu:.2} s of processor time, {:.1} % of {cores} cores",
        outcome.done,
        100.0 * cpu / (cores * wall)
    );
    let [all, full] = [&samples.all, &samples.full].map(|count| count.load(Relaxed));
    println!(
        "in {:.1} % of {all} samples at least {cores} threads wanted to run",
        100.0 * full as f64 / all.max(1) as f64
    );
    drop(fs::remove_dir_all(folder));
}

/// How often enough threads wanted to run.
#[derive(Clone, Default)]
struct Samples {
    all: Arc<AtomicUsize>,
    full: Arc<AtomicUsize>,
}

impl Observer for Samples {
    fn statistics(&self, _: &Statistics) {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        self.all.fetch_add(1, Relaxed);
        // The thread that asks does nothing else.
        if runnable_threads().saturating_sub(1) >= cores {
            self.full.fetch_add(1, Relaxed);
        }
    }
}

fn runnable_threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks
        .filter(|task| {
            let text = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            text.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('R'))
        })
        .count()
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
