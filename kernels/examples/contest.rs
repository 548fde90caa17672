//! Terzetto's side of the comparison with other PIV programs; `benches/piv/run` drives it.
//!
//! ```text
//! contest images FOLDER         makes couples of images with known displacements
//! contest serve FOLDER          measures them, one line of standard input a task:
//!                                   time MODE COUPLE THREADS REPEATS   -> seconds a couple, by the clock
//!                                                                         and of a processor's time
//!                                   field MODE COUPLE FILE             -> writes x,y,dx,dy
//! contest judge COUPLE FILE     the errors of such a file
//! ```

// A program's answers go to standard output.
#![allow(clippy::print_stdout)]

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
    Flow, Image, MultipassParams, MultipassPlan, SynthParams, correlation::Method, encode_png16,
    multipass::Predictor, read_image, synth_couple,
};

type Fallible<T> = Result<T, Box<dyn Error>>;

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
            params.passes[0].correlation = Method::Padded;
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

/// Seconds of a processor that this thread has had, as Linux tells; elsewhere nothing.
fn processor_time() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.map_or(f64::NAN, |nanoseconds| 1e-9 * nanoseconds)
}

/// Seconds a couple when each of some threads computes it so often: by the clock, and of a processor's time, which
/// does not count the turns of other programs.
fn time(images: &[Image; 2], mode: &str, threads: usize, repeats: usize) -> Fallible<(f64, f64)> {
    let params = params(mode)?;
    let [first, second] = images;
    let mut plans = Vec::new();
    for _ in 0..threads {
        let mut plan = MultipassPlan::new(&params, first.width(), first.height())?;
        plan.compute(first, second)?;
        plans.push(plan);
    }
    // Plans are made; the clock runs from when all are ready until all are done.
    let barrier = Barrier::new(threads + 1);
    let (seconds, processor) = thread::scope(|scope| {
        let workers: Vec<_> = plans
            .into_iter()
            .map(|mut plan| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let start = processor_time();
                    for _ in 0..repeats {
                        std::hint::black_box(plan.compute(first, second).ok());
                    }
                    let processor = processor_time() - start;
                    barrier.wait();
                    processor
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        barrier.wait();
        let seconds = start.elapsed().as_secs_f64();
        let processor: f64 = workers.into_iter().map(|worker| worker.join().unwrap_or(f64::NAN)).sum();
        (seconds, processor)
    });
    let couples = (threads * repeats) as f64;
    Ok((seconds / couples, processor / couples))
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
                let (seconds, processor) = time(&images, mode, threads.parse()?, repeats.parse()?)?;
                println!("{seconds:.9} {processor:.9}");
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

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["images", folder] => make_images(Path::new(folder)),
        ["serve", folder] => serve(Path::new(folder)),
        ["judge", name, file] => judge(name, Path::new(file)),
        _ => Err("usage: contest images FOLDER | serve FOLDER | judge COUPLE FILE".into()),
    }
}
