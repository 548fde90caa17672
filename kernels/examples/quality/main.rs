//! Bias and random error of displacements on synthetic images, as tables in CSV.
//!
//! ```text
//! quality [TABLE]                       a table, or all of them: displacement, diameter, density, noise, shear;
//!                                       and `subpixel`, which compares the methods of fitting a peak
//! quality list                          every `TABLE VALUE`
//! quality images TABLE VALUE FOLDER     the couples that such a line is measured on
//! quality robustness [gaussian3]        valid and false vectors of sixteen scenes, most of them poor
//! quality roc                           good and false vectors that the median test keeps, from strict to lax
//! quality scenes                        the names of these
//! quality scene-images SCENE FOLDER     the couples of such a scene
//! quality score SCENE FILE...           valid, false and RMS of fields (x,y,dx,dy,valid) of these couples
//! quality errors TABLE VALUE FILE...    bias, random error and lost share of fields (x,y,dx,dy) of these couples
//! ```
//!
//! Run it with `cargo run --release -p terzetto-kernels --example quality`; `benches/piv/quality` uses the rest to
//! measure other programs on the same images. What is varied stands in the first column; the bias is the mean error
//! along x, the random error its standard deviation, both in px; `lost` is the share of vectors that are missing or
//! more than a pixel off, which count nowhere else.
//!
//! What to expect (Raffel et al., *Particle Image Velocimetry*, on Monte Carlo simulations): for windows of 32 px a
//! random error of some hundredths of a pixel, least for particles about 2.5 px wide, growing in proportion to wider
//! ones, with a bias towards whole pixels for those below 2 px; growing with the displacement from 0 to 0.5 px, then
//! level, unless windows are shifted; less with more particles, more with noise and with displacements that vary
//! within a window.

// A program's answers go to standard output.
#![allow(clippy::print_stdout)]

mod cases;
mod errors;
mod robustness;
mod ways;

use cases::{COUPLES, Case, TABLES, Table, scene};
use errors::Errors;
use std::{error::Error, fs, path::Path};
use terzetto_kernels::{
    Flow, SynthParams, encode_png16,
    subpixel::{SubpixelMethod, SubpixelParams},
};
use ways::{WAYS, Way, measure, params};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// One line for each value, three columns for each way.
fn print_table(table: Table) -> Fallible<()> {
    print!("# {}; otherwise {:?}\n{}", table.name(), scene(), table.name());
    WAYS.iter().for_each(|way| print!(",{way:?} bias,{way:?} random,{way:?} lost"));
    println!();
    for value in table.values() {
        let case = table.case(value);
        print!("{value}");
        for way in WAYS {
            let errors = measure(&case, &params(way, SubpixelParams::default()), COUPLES)?;
            print!(",{:.4},{:.4},{:.4}", errors.bias(), errors.random(), errors.lost());
        }
        println!();
    }
    Ok(())
}

fn print_subpixel_table() -> Fallible<()> {
    println!(
        "# sub-pixel methods over particle diameters and noise, one pass, mean of displacements 2.0 to 3.0\n\
         method,radius,diameter,noise,bias,random,lost"
    );
    for (method, radius) in [
        (SubpixelMethod::Gaussian3, 1),
        (SubpixelMethod::Gaussian2d, 1),
        (SubpixelMethod::Gaussian2d, 2),
        (SubpixelMethod::Centroid, 1),
        (SubpixelMethod::Centroid, 2),
        (SubpixelMethod::Parabola, 1),
        (SubpixelMethod::None, 1),
    ] {
        for (diameter, noise) in [(1.5, 100.0), (2.5, 100.0), (4.0, 100.0), (2.5, 2000.0)] {
            // Where the peak lies between pixels decides over the error: the root of the mean of both squares.
            let (mut bias, mut random, mut lost) = (0.0, 0.0, 0.0);
            for tenth in 0..10 {
                let flow = Flow::Uniform { dx: 2.0 + 0.1 * f64::from(tenth), dy: 0.5 };
                let scene = SynthParams { particle_diameter: diameter, noise, ..scene() };
                let case = Case { scene, flow };
                let errors = measure(&case, &params(Way::OnePass, SubpixelParams { method, radius }), 1)?;
                bias += errors.bias().powi(2) / 10.0;
                random += errors.random().powi(2) / 10.0;
                lost += errors.lost() / 10.0;
            }
            let (bias, random) = (bias.sqrt(), random.sqrt());
            println!("{method:?},{radius},{diameter},{noise},{bias:.4},{random:.4},{lost:.4}");
        }
    }
    Ok(())
}

/// What flows in and out at the border is nobody's merit, px.
const BORDER: f64 = 30.0;

fn write_images(case: &Case, folder: &Path) -> Fallible<()> {
    for index in 0..COUPLES {
        let [first, second] = case.couple(index)?;
        fs::write(folder.join(format!("{index}_a.png")), encode_png16(&first)?)?;
        fs::write(folder.join(format!("{index}_b.png")), encode_png16(&second)?)?;
    }
    Ok(())
}

fn print_errors(case: &Case, files: &[String]) -> Fallible<()> {
    let mut errors = Errors::default();
    for file in files {
        for line in fs::read_to_string(file)?.lines().skip(1) {
            let numbers: Vec<f64> = line.split(',').map(|word| word.parse().unwrap_or(f64::NAN)).collect();
            let [x, y, dx, _] = numbers[..] else { return Err(format!("no vector: `{line}`").into()) };
            errors.add(case, (x, y), dx);
        }
    }
    println!("{:.4},{:.4},{:.4}", errors.bias(), errors.random(), errors.lost());
    Ok(())
}

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let case = |table: &str, value: &str| Ok::<_, Box<dyn Error>>(Table::named(table)?.case(value.parse()?));
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            TABLES.into_iter().try_for_each(print_table)?;
            print_subpixel_table()
        }
        ["list"] => {
            for table in TABLES {
                table.values().into_iter().for_each(|value| println!("{} {value}", table.name()));
            }
            Ok(())
        }
        ["images", table, value, folder] => write_images(&case(table, value)?, Path::new(folder)),
        ["roc"] => robustness::print_roc(),
        ["robustness"] => robustness::print_table(SubpixelMethod::default()),
        ["robustness", "gaussian3"] => robustness::print_table(SubpixelMethod::Gaussian3),
        ["scenes"] => {
            robustness::cases().iter().for_each(|(name, _)| println!("{name}"));
            Ok(())
        }
        ["scene-images", name, folder] => write_images(&robustness::named(name)?, Path::new(folder)),
        ["score", name, ..] => robustness::print_score(&robustness::named(name)?, &arguments[2..]),
        ["errors", table, value, ..] => print_errors(&case(table, value)?, &arguments[3..]),
        ["subpixel"] => print_subpixel_table(),
        [table] => print_table(Table::named(table)?),
        _ => {
            Err("usage: quality [TABLE | list | images TABLE VALUE FOLDER | errors TABLE VALUE FILE...]"
                .into())
        }
    }
}
