//! The commands beside `piv`: preprocessing, schlieren, statistics of a series; and `piv --try`.

mod common;

use std::{fs, path::Path};

use terzetto_kernels::{
    Flow, Image, SynthParams,
    output::netcdf::{Dataset, Values},
    read_image, synth_couple, write_png16,
};
use terzetto_program::results::parse_csv;

use common::{Ended, Folder, half_written, jobs, names, run, synth, terzetto};

/// A series of flat images with these values, in a folder `series`.
fn flat_series(folder: &Folder, values: &[f32]) -> std::path::PathBuf {
    let series = folder.join("series");
    fs::create_dir(&series).expect("the test's own folder");
    for (index, value) in values.iter().enumerate() {
        // A ramp, so that places matter.
        let image = Image::from_fn(16, 8, |x, _| value + x as f32);
        write_png16(&series.join(format!("im{}.png", index + 1)), &image).expect("the test's own folder");
    }
    series
}

fn write(folder: &Folder, text: &str) -> String {
    let file = folder.join("params.toml");
    fs::write(&file, text).expect("the test's own folder");
    file.display().to_string()
}

fn command(name: &str, series: &Path, args: &[&str]) -> Ended {
    run(terzetto().arg(name).arg(series).args(args))
}

/// The first pixel of each image of a folder, in order of the images' numbers.
fn first_pixels(folder: &Path) -> Vec<f32> {
    let images = terzetto_program::series::list_images(folder).expect("images");
    images.iter().map(|path| read_image(path).expect("an image").data()[0]).collect()
}

#[test]
fn statistics_of_a_series() {
    let folder = Folder::new();
    let series = flat_series(&folder, &[1.0, 2.0, 6.0]);
    let ended = command("mean", &series, &[]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("3 of 3 images done"), "{}", ended.out);
    let out = folder.join("series.mean");
    let data = Dataset::decode(&fs::read(out.join("mean.nc")).expect("a result")).expect("sound");
    let at = |name: &str, index: usize| match &data.variable(name).expect("a variable").values {
        Values::Floats(values) => values[index],
        other => panic!("{other:?}"),
    };
    assert_eq!((at("mean", 0), at("min", 0), at("max", 0)), (3.0, 1.0, 6.0));
    assert_eq!((at("mean", 19), at("min", 19), at("max", 19)), (6.0, 4.0, 9.0));
    assert!((at("std", 5) - 7_f32.sqrt()).abs() < 1e-6);
    assert!(data.attributes.contains(&("images".to_owned(), Values::Doubles(vec![3.0]))));
    let picture = |name: &str| read_image(&out.join(name)).expect("an image").data()[0];
    assert_eq!(["mean.png", "std.png", "min.png", "max.png"].map(picture), [3.0, 3.0, 1.0, 6.0]);
    assert_eq!((jobs(&out).len(), half_written(&out)), (1, Vec::<String>::new()));
    // What is there is not computed again, and a part cannot be.
    assert!(command("mean", &series, &["--complete"]).out.contains("done before"));
    assert!(command("mean", &series, &["--complete", "--range", "2:"]).out.contains("2 of 2 images done"));
    for args in [["--shard", "1/2"], ["--executor", "multi"]] {
        let ended = command("mean", &series, &args);
        assert!(ended.status == Some(2) && ended.err.contains("one process"), "{}", ended.err);
    }
    // A range, each executor; an image of another size, or a broken one, is told and left out.
    write_png16(&series.join("im4.png"), &Image::from_fn(4, 4, |_, _| 0.0)).expect("the test's own folder");
    fs::write(series.join("im5.png"), "no image").expect("the test's own folder");
    for executor in ["async", "async-sequential", "sequential"] {
        let args = ["--range", "2:", "--saving", "recompute", "--executor", executor, "--workers", "1"];
        let ended = command("mean", &series, &args);
        assert_eq!(ended.status, Some(1), "{executor}: {}{}", ended.out, ended.err);
        assert!(ended.out.contains("2 of 4 images done, 2 failed"), "{executor}: {}", ended.out);
        assert_eq!(picture("mean.png"), 4.0, "{executor}");
    }
}

#[test]
fn the_first_image_in_order_sets_the_size_of_statistics() {
    let folder = Folder::new();
    let series = folder.join("series");
    fs::create_dir(&series).expect("the test's own folder");
    // The stray image is read long before the first one.
    for (index, size) in [1500, 4, 1500, 1500].into_iter().enumerate() {
        let image = Image::from_fn(size, size, |x, y| ((x * 7919 + y * 104_729) % 4093) as f32);
        write_png16(&series.join(format!("im{index}.png")), &image).expect("the test's own folder");
    }
    let ended = command("mean", &series, &[]);
    assert!(ended.out.contains("3 of 4 images done, 1 failed"), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("im1.png` has 4 x 4 pixels, and 1500 x 1500"), "{}", ended.err);
}

#[test]
fn filters_of_single_images_and_backgrounds() {
    let folder = Folder::new();
    let series = flat_series(&folder, &[10.0, 30.0, 20.0, 60.0]);
    let out = folder.join("series.pre");
    let pre = |text: &str, args: &[&str]| {
        let file = write(&folder, text);
        let args = [&["--params", &file, "--saving", "recompute"], args].concat();
        let ended = command("preprocess", &series, &args);
        assert_eq!(ended.status, Some(0), "{text}: {}{}", ended.out, ended.err);
        first_pixels(&out)
    };
    assert_eq!(pre("[preprocess.background]\nstatistic = \"minimum\"", &[]), [0.0, 20.0, 10.0, 50.0]);
    assert_eq!(names(&out, ".png"), ["im1.png", "im2.png", "im3.png", "im4.png"]);
    assert_eq!(pre("[preprocess.background]\nstatistic = \"mean\"", &[]), [0.0, 0.0, 0.0, 30.0]);
    assert_eq!(pre("[preprocess.background]\nstatistic = \"median\"", &[]), [0.0, 5.0, 0.0, 35.0]);
    // Of the first and the third image only.
    let two = "[preprocess.background]\nstatistic = \"minimum\"\nsamples = 2";
    assert_eq!(pre(two, &["--executor", "sequential"]), [0.0, 20.0, 10.0, 50.0]);
    let file = "[preprocess.background]\nimage = \"series/im3.png\"";
    assert_eq!(pre(file, &["--executor", "multi", "--processes", "2"]), [0.0, 10.0, 0.0, 40.0]);
    let filters = "[[preprocess.filters]]\nfilter = \"rescale\"\nlow = 0.0\nhigh = 100.0\ntop = 150.0\n\
                   [[preprocess.filters]]\nfilter = \"sliding_minimum\"\nradius = 1";
    pre(filters, &[]);
    let image = read_image(&out.join("im1.png")).expect("an image");
    // The ramp from 10 to 25 becomes one from 0 to 150, less its left neighbour.
    assert_eq!(image.row(3)[..4], [0.0, 10.0, 10.0, 10.0]);
}

#[test]
fn filters_over_time() {
    let folder = Folder::new();
    let series = flat_series(&folder, &[10.0, 50.0, 20.0, 40.0, 30.0, 0.0]);
    let text = |statistic: &str, subtract: bool| {
        format!("[preprocess.temporal]\nstatistic = \"{statistic}\"\nwindow = 3\nsubtract = {subtract}")
    };
    let minima = [10.0, 10.0, 20.0, 20.0, 0.0, 0.0];
    let medians = [30.0, 20.0, 40.0, 30.0, 30.0, 15.0];
    let above = [0.0, 30.0, 0.0, 10.0, 0.0, 0.0];
    for (statistic, subtract, wanted) in
        [("minimum", false, minima), ("median", false, medians), ("median", true, above)]
    {
        let file = write(&folder, &text(statistic, subtract));
        for executor in ["async", "sequential", "async-sequential", "multi"] {
            let out = folder.join(&format!("{statistic}-{subtract}-{executor}"));
            let out_text = out.display().to_string();
            let args = ["--params", &file, "--out", &out_text, "--executor", executor, "--queue-max", "1"];
            let ended = command("preprocess", &series, &args);
            assert_eq!(ended.status, Some(0), "{executor}: {}{}", ended.out, ended.err);
            assert!(ended.out.contains("6 of 6 images done"), "{executor}: {}", ended.out);
            assert_eq!(first_pixels(&out), wanted, "{statistic}, {subtract}, {executor}");
        }
    }
    // Parts know their neighbours; what is missing is completed with them.
    let file = write(&folder, &text("minimum", false));
    let out = folder.join("series.pre");
    let part = command("preprocess", &series, &["--params", &file, "--shard", "2/3"]);
    assert_eq!(part.status, Some(0), "{}{}", part.out, part.err);
    assert_eq!(names(&out, ".png"), ["im3.png", "im4.png"]);
    let rest = command("preprocess", &series, &["--params", &file, "--complete"]);
    assert!(rest.out.contains("6 images, 2 of them done before"), "{}", rest.out);
    assert_eq!(first_pixels(&out), minima);
}

#[test]
fn a_broken_image_is_left_out_of_its_neighbours_windows() {
    let folder = Folder::new();
    let series = flat_series(&folder, &[10.0, 20.0, 5.0, 40.0, 30.0]);
    fs::write(series.join("im3.png"), "no image").expect("the test's own folder");
    let file = write(&folder, "[preprocess.temporal]\nstatistic = \"minimum\"\nwindow = 3\nsubtract = false");
    let ended = command("preprocess", &series, &["--params", &file]);
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("4 of 5 images done, 1 failed"), "{}", ended.out);
    assert!(ended.err.contains("im3.png"), "{}", ended.err);
    assert_eq!(first_pixels(&folder.join("series.pre")), [10.0, 10.0, 30.0, 30.0]);
}

#[test]
fn a_neighbour_of_another_size_is_named() {
    let folder = Folder::new();
    let series = flat_series(&folder, &[10.0, 20.0, 5.0, 40.0, 30.0]);
    write_png16(&series.join("im3.png"), &Image::from_fn(7, 9, |_, _| 0.0)).expect("the test's own folder");
    let file = write(&folder, "[preprocess.temporal]\nstatistic = \"minimum\"\nwindow = 3\nsubtract = false");
    let ended = command("preprocess", &series, &["--params", &file]);
    assert!(ended.out.contains("2 of 5 images done, 3 failed"), "{}{}", ended.out, ended.err);
    for around in ["im2", "im4"] {
        let mut lines = ended.err.lines();
        let line = lines.find(|line| line.contains(&format!("{around}.png`: work"))).expect("its error");
        assert!(line.contains("im3.png` has 7 x 9 pixels"), "{line}");
    }
}

#[test]
fn preprocessing_that_makes_no_sense_is_refused() {
    let folder = Folder::new();
    let series = flat_series(&folder, &[1.0, 2.0]);
    let contrast = "[[preprocess.filters]]\nfilter = \"local_contrast\"\nradius = 3\nfloor = 1.0";
    for (text, message) in [
        ("", "section [preprocess] is empty"),
        (contrast, "preprocess.filters[0]: local_contrast leaves a few counts"),
        ("[preprocess.background]\nimage = \"none.png\"", "preprocess.background.image: cannot read"),
    ] {
        let file = write(&folder, text);
        let ended = command("preprocess", &series, &["--params", &file]);
        assert_eq!(ended.status, Some(2), "{}{}", ended.out, ended.err);
        assert!(ended.err.contains(message), "{}", ended.err);
    }
    let file = write(&folder, "[preprocess.background]\nimage = \"small.png\"");
    write_png16(&folder.join("small.png"), &Image::from_fn(4, 4, |_, _| 0.0)).expect("the test's own folder");
    let ended = command("preprocess", &series, &["--params", &file]);
    assert!(
        ended.status == Some(1) && ended.err.contains("the background has 4 x 4 pixels"),
        "{}",
        ended.err
    );
}

#[test]
fn schlieren_are_measured_against_the_reference() {
    let folder = Folder::new();
    let series = folder.join("series");
    fs::create_dir(&series).expect("the test's own folder");
    let scene = SynthParams { width: 96, height: 96, ..SynthParams::default() };
    let shifts = [(0.5, 0.0), (1.25, -0.5), (-2.0, 1.0)];
    // One seed, one pattern. The second image of a couple shows it half of the displacement away.
    let shifted = |dx: f64, dy: f64| {
        synth_couple(&scene, &Flow::Uniform { dx: 2.0 * dx, dy: 2.0 * dy }, 0).expect("sound").1
    };
    let reference = series.join("reference.png");
    write_png16(&reference, &shifted(0.0, 0.0)).expect("the test's own folder");
    for (index, (dx, dy)) in shifts.into_iter().enumerate() {
        let image = series.join(format!("im{}.png", index + 1));
        write_png16(&image, &shifted(dx, dy)).expect("the test's own folder");
    }
    let out = folder.join("series.bos");
    let bos = |args: &[&str]| run(terzetto().arg("bos").arg(&reference).arg(&series).args(args));
    let ended = bos(&["--executor", "multi", "--processes", "2"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("3 of 3 images done"), "{}", ended.out);
    assert_eq!(names(&out, ".csv"), ["bos_im1.csv", "bos_im2.csv", "bos_im3.csv"]);
    assert_eq!((names(&out, ".nc").len(), names(&out, ".png").len()), (3, 3));
    for (name, (dx, dy)) in names(&out, ".csv").iter().zip(shifts) {
        let field = parse_csv(&fs::read_to_string(out.join(name)).expect("a table")).expect("well formed");
        let valid: Vec<_> = field.rows.iter().filter(|row| row.is_valid()).collect();
        let mean = |of: fn(&terzetto_program::results::Row) -> f64| {
            valid.iter().map(|row| of(row)).sum::<f64>() / valid.len() as f64
        };
        let found = (mean(|row| row.dx), mean(|row| row.dy));
        assert!(
            (found.0 - dx).abs() < 0.05 && (found.1 - dy).abs() < 0.05,
            "{name}: {found:?} for {dx} {dy}"
        );
    }
    fs::remove_file(out.join("bos_im2.nc")).expect("a result");
    let ended = bos(&["--complete"]);
    assert!(ended.out.contains("1 of 1 images done"), "{}{}", ended.out, ended.err);
    let ended = run(terzetto().arg("bos").arg(folder.join("none.png")).arg(&series));
    assert!(ended.status == Some(2) && ended.err.contains("none.png"), "{}", ended.err);
}

#[test]
fn a_reference_that_is_no_use_is_told_once() {
    let folder = Folder::new();
    let series = flat_series(&folder, &[1.0]);
    let bos = |reference: &Path| run(terzetto().arg("bos").arg(reference).arg(&series));
    fs::write(folder.join("broken.png"), "no image").expect("the test's own folder");
    let only = series.join("im1.png");
    for (reference, text) in [
        (&folder.join("broken.png"), "the reference: cannot decode"),
        (&series, "the reference: cannot read"),
        (&only, "no image but the reference"),
    ] {
        let ended = bos(reference);
        assert_eq!(ended.status, Some(2), "{}{}", ended.out, ended.err);
        assert!(ended.err.lines().count() == 1 && ended.err.contains(text), "{}", ended.err);
    }
}

#[test]
fn one_couple_is_tried_and_nothing_is_kept() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 2, 128);
    let out = folder.join("look");
    let out_text = out.display().to_string();
    let ended = command("piv", &images, &["--try", "--passes", "2", "--at", "40,50", "--out", &out_text]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    for text in [
        "couple couple_0001a-b: ",
        "128 x 128 px",
        "pass 0: windows of 32 px, grid of 7 x 7 vectors, ",
        "pass 1: windows of 16 px, grid of 15 x 15 vectors, ",
        "% valid, 0.",
        "mean       std       min       5 %    median      95 %       max",
        "  dx ",
        "  length ",
        "  peak ratio ",
        "pass 0, window at (47.5, 47.5): peaks at (",
        "pass 1, window at (39.5, 47.5): peaks at (",
    ] {
        assert!(ended.out.contains(text), "{text} in\n{}", ended.out);
    }
    let pictures: Vec<&str> = ended.out.lines().filter_map(|line| line.strip_prefix("picture: ")).collect();
    let endings = [".png", "_magnitude.png", "_correlation_pass0.png", "_correlation_pass1.png"];
    assert_eq!(pictures.len(), endings.len());
    for (picture, ending) in pictures.iter().zip(endings) {
        assert!(picture.ends_with(&format!("piv_couple_0001a-b{ending}")), "{picture}");
        assert!(fs::read(picture).expect("a picture").starts_with(b"\x89PNG"));
    }
    assert_eq!(names(&out, "").len(), 4, "nothing else is written");
    assert!(!folder.join("series.piv").exists());

    let ended = command("piv", &images, &["--try=couple_0002a-b"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let picture = ended.out.lines().find_map(|line| line.strip_prefix("picture: ")).expect("a picture");
    let temporary = Path::new(picture).parent().expect("a folder");
    assert!(picture.ends_with("piv_couple_0002a-b.png") && !temporary.starts_with(&folder.0), "{picture}");
    fs::remove_dir_all(temporary).expect("the folder of this try");
    let ended = command("piv", &images, &["--try=none"]);
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.err.contains("no couple `none`; there are: couple_0001a-b, couple_0002a-b"),
        "{}",
        ended.err
    );
    assert_eq!(command("piv", &images, &["--at", "1,2"]).status, Some(2), "--at is for --try");
}

#[test]
fn every_topology_is_sound_and_drawn() {
    let listed = run(terzetto().arg("topology"));
    for name in ["piv", "bos", "preprocess", "mean", "synth"] {
        assert!(listed.out.contains(name), "{}", listed.out);
        let drawn = run(terzetto().args(["topology", name, "--graph"]));
        assert!(drawn.out.starts_with(&format!("digraph \"{name}\" {{")), "{}{}", drawn.out, drawn.err);
    }
    let works = run(terzetto().args(["topology", "preprocess"])).out;
    for work in ["background", "gather windows", "subtract background", "filter", "save"] {
        assert!(works.contains(work), "{work} in\n{works}");
    }
    assert!(run(terzetto().args(["topology", "piv"])).out.contains("preprocess"));
}
