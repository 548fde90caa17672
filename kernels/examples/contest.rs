//! Terzetto's side of the comparison with other PIV programs; `benches/piv/run` drives it.
//!
//! ```text
//! contest images FOLDER         makes couples of images with known displacements
//! contest serve FOLDER          measures them, one line of standard input a task:
//!                                   time MODE COUPLE THREADS REPEATS   -> seconds a couple
//!                                   field MODE COUPLE FILE             -> writes x,y,dx,dy
//! contest judge COUPLE FILE     the errors of such a file
//! contest memory MODE           bytes that a plan holds, and that a hundred couples take one after the other
//! ```

// A program's answers go to standard output.
#![allow(clippy::print_stdout)]

use peak_alloc::PeakAlloc;
use std::{
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, BufRead, Write as _},
    path::Path,
    sync::Barrier,
    thread,
    time::Instant,
};
use terzetto_kernels::{
    Flow, Image, MultipassParams, MultipassPlan, SynthParams, correlation::CorrelationMethod, encode_png16,
    multipass::Predictor, read_image, synth_couple,
};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Two atomic additions for each of the few allocations: no time that counts.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The couples: name, scene and displacement.
fn scenes() -> Vec<(&'static str, SynthParams, Flow)> {
    // As many counts as an 8-bit camera, so that no program's arithmetic is at a disadvantage.
    let scene = SynthParams { intensity: 200.0, noise: 4.0, ..SynthParams::default() };
    vec![
        ("uniform", scene.clone(), Flow::Uniform { dx: 3.4, dy: -2.7 }),
        ("vortex", scene.clone(), Flow::Vortex { x: 256.0, y: 256.0, peak: 6.0, radius: 120.0 }),
        ("shear", scene.clone(), Flow::Shear { dx: -5.0, rate: 0.02 }),
        ("noisy", SynthParams { noise: 20.0, ..scene }, Flow::Rotation { x: 256.0, y: 256.0, angle: 0.015 }),
    ]
}

fn params(mode: &str) -> Fallible<MultipassParams> {
    Ok(match mode {
        "one" => {
            let mut params = MultipassParams::zoom(32, 1);
            params.spline.smooth_last = false;
            params
        }
        "padded" => {
            let mut params = params("one")?;
            params.passes[0].correlation = CorrelationMethod::Padded;
            params
        }
        "multi" => MultipassParams::zoom(32, 2),
        "deform" => {
            let mut params = MultipassParams::zoom(32, 2);
            // Like OpenPIV, which deforms images and levels the background.
            params.passes[1].predictor = Predictor::Deform;
            params.passes.iter_mut().for_each(|pass| pass.clip = true);
            params
        }
        _ => return Err(format!("no mode `{mode}`").into()),
    })
}

fn couple(folder: &Path, name: &str) -> Fallible<[Image; 2]> {
    let read = |letter: &str| read_image(&folder.join(format!("{name}_{letter}.png")));
    Ok([read("a")?, read("b")?])
}

fn make_images(folder: &Path) -> Fallible<()> {
    for (name, scene, flow) in scenes() {
        let (first, second) = synth_couple(&scene, &flow, 0)?;
        fs::write(folder.join(format!("{name}_a.png")), encode_png16(&first)?)?;
        fs::write(folder.join(format!("{name}_b.png")), encode_png16(&second)?)?;
        println!("{name}");
    }
    Ok(())
}

/// Seconds a couple when each of some threads computes it so often.
fn time(images: &[Image; 2], mode: &str, threads: usize, repeats: usize) -> Fallible<f64> {
    let params = params(mode)?;
    let [first, second] = images;
    let mut plans = Vec::new();
    for _ in 0..threads {
        let mut plan = MultipassPlan::new(&params, first.width(), first.height())?;
        plan.compute(first, second)?;
        plans.push(plan);
    }
    // Plans are made; the clock runs from when the first starts, when all are ready, until the last is done. Each
    // looks at the clock itself: with as many threads as processors, one that only waits would be late.
    let barrier = Barrier::new(threads);
    let spans = thread::scope(|scope| {
        let barrier = &barrier;
        let work = move |mut plan: MultipassPlan| {
            barrier.wait();
            let start = Instant::now();
            for _ in 0..repeats {
                std::hint::black_box(plan.compute(first, second).ok());
            }
            (start, Instant::now())
        };
        let workers: Vec<_> = plans.into_iter().map(|plan| scope.spawn(move || work(plan))).collect();
        workers.into_iter().map(|worker| worker.join()).collect::<Result<Vec<_>, _>>()
    });
    let spans = spans.map_err(|_| "a thread panicked")?;
    let start = spans.iter().map(|(start, _)| *start).min().ok_or("no thread")?;
    let end = spans.iter().map(|(_, end)| *end).max().ok_or("no thread")?;
    let seconds = (end - start).as_secs_f64();
    Ok(seconds / (threads * repeats) as f64)
}

fn write_field(images: &[Image; 2], mode: &str, file: &Path) -> Fallible<()> {
    let [first, second] = images;
    let result = MultipassPlan::new(&params(mode)?, first.width(), first.height())?.compute(first, second)?;
    let field = result.last().ok_or("no field")?;
    let mut text = String::from("x,y,dx,dy\n");
    for vector in &field.vectors {
        writeln!(text, "{},{},{},{}", vector.x, vector.y, vector.dx, vector.dy)?;
    }
    Ok(fs::write(file, text)?)
}

fn serve(folder: &Path) -> Fallible<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["time", mode, name, threads, repeats] => {
                let images = couple(folder, name)?;
                println!("{:.9}", time(&images, mode, threads.parse()?, repeats.parse()?)?);
            }
            ["field", mode, name, file] => {
                write_field(&couple(folder, name)?, mode, Path::new(file))?;
                println!("done");
            }
            _ => return Err(format!("no task `{line}`").into()),
        }
        io::stdout().flush()?;
    }
    Ok(())
}

/// Bias and root mean square of the error, px, the 95th percentile of its length, and the share of vectors
/// that are missing or more than a pixel off, which count in the share only.
fn judge(name: &str, file: &Path) -> Fallible<()> {
    let scenes = scenes();
    let (_, scene, flow) = scenes.iter().find(|scene| scene.0 == name).ok_or("no such couple")?;
    let (mut lengths, mut bias, mut square, mut lost, mut total) = (Vec::new(), [0.0; 2], 0.0, 0, 0);
    for line in fs::read_to_string(file)?.lines().skip(1) {
        let numbers: Vec<f64> = line.split(',').map(|word| word.parse().unwrap_or(f64::NAN)).collect();
        let [x, y, dx, dy] = numbers[..] else { return Err(format!("no vector: `{line}`").into()) };
        // What flows in and out at the border is nobody's merit.
        let inside = |place: f64, size: usize| (24.0..size as f64 - 24.0).contains(&place);
        if !inside(x, scene.width) || !inside(y, scene.height) {
            continue;
        }
        total += 1;
        let (u, v) = flow.displacement(x, y);
        let length = (dx - u).hypot(dy - v);
        if length.is_nan() || length > 1.0 {
            lost += 1;
            continue;
        }
        lengths.push(length);
        bias[0] += dx - u;
        bias[1] += dy - v;
        square += length * length;
    }
    lengths.sort_by(f64::total_cmp);
    let count = lengths.len().max(1) as f64;
    let bias = (bias[0] / count).hypot(bias[1] / count);
    let high = lengths.get(lengths.len() * 95 / 100).copied().unwrap_or(f64::NAN);
    println!(
        "{bias:.4} {:.4} {high:.4} {:.4}",
        (square / count).sqrt(),
        f64::from(lost) / f64::from(total.max(1))
    );
    Ok(())
}

/// What a plan holds, what a couple takes at its peak beside that, and that nothing of it stays.
fn print_memory(mode: &str) -> Fallible<()> {
    const COUPLES: usize = 100;
    let mut couples = Vec::new();
    for (_, scene, flow) in scenes() {
        couples.push(synth_couple(&scene, &flow, 0)?);
    }
    let (first, second) = &couples[0];
    let params = params(mode)?;
    let before = MEMORY.current_usage();
    let mut plan = MultipassPlan::new(&params, first.width(), first.height())?;
    let made = MEMORY.current_usage() - before;
    // The first couple finds lists empty that keep their room.
    drop(plan.compute(first, second)?);
    let held = MEMORY.current_usage() - before;

    let [mut peaks, mut results, mut held_after] = [(); 3].map(|()| Vec::with_capacity(COUPLES));
    let start = MEMORY.current_usage();
    for (first, second) in couples.iter().cycle().take(COUPLES) {
        MEMORY.reset_peak_usage();
        let result = plan.compute(first, second)?;
        peaks.push(MEMORY.peak_usage() - start);
        let end = MEMORY.current_usage();
        drop(result);
        results.push(end - MEMORY.current_usage());
        held_after.push(held + MEMORY.current_usage() - start);
    }
    let kilobytes = |bytes: usize| bytes as f64 / 1e3;
    let range = |values: &[usize]| {
        let [least, most] = [values.iter().min(), values.iter().max()]
            .map(|value| kilobytes(value.copied().unwrap_or_default()));
        format!("{least:.1} to {most:.1} kB")
    };
    println!("{mode}: {} x {} px", first.width(), first.height());
    println!("  plan, when made             {:.1} kB", kilobytes(made));
    println!("  plan, after a first couple  {:.1} kB", kilobytes(held));
    println!("  plan, after each of {COUPLES}     {}", range(&held_after));
    println!("  peak of a couple beside it  {}", range(&peaks));
    println!("  of that, the result         {}", range(&results));
    Ok(())
}

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["images", folder] => make_images(Path::new(folder)),
        ["serve", folder] => serve(Path::new(folder)),
        ["judge", name, file] => judge(name, Path::new(file)),
        ["memory", mode] => print_memory(mode),
        _ => Err("usage: contest images FOLDER | serve FOLDER | judge COUPLE FILE | memory MODE".into()),
    }
}
