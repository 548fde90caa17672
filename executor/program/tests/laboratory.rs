//! What a laboratory relies on, with the numbers of the list of issue 25: each test's name says what is right.

mod common;

use std::{fs, path::Path};

use terzetto_kernels::{Image, output::decode, write_png16};

use common::{Ended, Folder, films::film, names, run, synth, terzetto};

fn piv(folder: &Path, args: &[&str]) -> Ended {
    run(terzetto()
        .arg("piv")
        .arg(folder)
        .args(["--no-plots", "--window", "16", "--out"])
        .arg(folder.join("../out"))
        .args(args))
}

fn last_line(ended: &Ended) -> &str {
    ended.out.lines().last().unwrap_or_default()
}

/// Two images of noise that have nothing to do with each other.
fn unrelated(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut state = 1_u64;
    for number in 1..=2 {
        let noise = Image::from_fn(128, 128, |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 50) as f32
        });
        write_png16(&folder.join(format!("im{number}.png")), &noise).unwrap();
    }
}

#[test]
fn piv_09_the_last_line_tells_the_share_of_invalid_vectors_and_valid_min_sets_the_status() {
    let folder = Folder::new();
    synth(&folder.join("series"), 2, 128);
    let good = piv(&folder.join("series"), &["--valid-min", "0.9"]);
    assert_eq!(good.status, Some(0), "{}{}", good.out, good.err);
    assert!(last_line(&good).contains("% of the vectors are not valid, at most"), "{}", good.out);
    unrelated(&folder.join("noise"));
    let poor = piv(&folder.join("noise"), &["--saving", "recompute"]);
    assert_eq!(poor.status, Some(0), "not asked for, it is no failure: {}{}", poor.out, poor.err);
    let share = last_line(&poor);
    assert!(
        share.starts_with("not one") || share.starts_with("100.0 %") || share.starts_with('9'),
        "{share}"
    );
    let poor = piv(&folder.join("noise"), &["--saving", "recompute", "--valid-min", "0.5"]);
    assert_eq!(poor.status, Some(3), "{}{}", poor.out, poor.err);
    assert!(last_line(&poor).contains("more than the 50.0 % that --valid-min allows"), "{}", poor.out);
    let many = piv(&folder.join("series"), &["--executor", "multi", "--valid-min", "0.5"]);
    assert!(many.status == Some(2) && many.err.contains("--valid-min"), "{}", many.err);
}

#[test]
fn piv_09_a_mask_on_the_command_line_leaves_no_values_behind_it() {
    let folder = Folder::new();
    synth(&folder.join("series"), 1, 128);
    let mask = folder.join("mask.png");
    write_png16(&mask, &Image::from_fn(128, 128, |x, _| if x < 64 { 0.0 } else { 255.0 })).unwrap();
    let ended = piv(&folder.join("series"), &["--mask", mask.to_str().unwrap(), "--passes", "2"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let result = decode(&fs::read(folder.join("out/piv_couple_0001a-b.nc")).unwrap()).unwrap();
    let field = result.last().unwrap();
    let masked: Vec<_> = field.vectors.iter().filter(|vector| vector.x < 56.0).collect();
    assert!(masked.len() > 10 && masked.iter().all(|vector| vector.dx.is_nan() && vector.dy.is_nan()));
    assert!(masked.iter().all(|vector| vector.flags.names() == ["masked"]));
    assert!(field.vectors.iter().filter(|vector| vector.x > 72.0).all(|vector| vector.dx.is_finite()));
}

#[test]
fn piv_10_a_file_of_several_pages_is_refused_with_a_hint_and_becomes_a_series() {
    let folder = Folder::new();
    let series = folder.join("series");
    fs::create_dir_all(&series).unwrap();
    let page = |value: f32| Image::from_fn(48, 48, |x, y| value + (x * y % 7) as f32);
    film(&series.join("film_1.tif"), &[page(0.0), page(10.0), page(0.25)]);
    write_png16(&series.join("film_2.png"), &page(1.0)).unwrap();
    let ended = piv(&series, &[]);
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
    assert!(
        ended.err.contains("film_1.tif has 3 pages") && ended.err.contains("terzetto pages"),
        "{}",
        ended.err
    );
    let ended = run(terzetto().arg("pages").arg(series.join("film_1.tif")).arg(folder.join("pages")));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    assert!(ended.out.contains("3 pages in"), "{}", ended.out);
    let written = names(&folder.join("pages"), "");
    assert_eq!(written, ["film.toml", "film_1_0001.png", "film_1_0002.png", "film_1_0003.tif"]);
    for (name, value) in written[1..].iter().zip([0.0, 10.0, 0.25]) {
        let image = terzetto_kernels::read_image(&folder.join("pages").join(name)).unwrap();
        assert_eq!(image.data(), page(value).data(), "{name}");
    }
}

#[test]
fn piv_11_the_same_error_for_every_couple_ends_the_run_early_and_is_said_once() {
    let folder = Folder::new();
    let series = folder.join("series");
    fs::create_dir_all(&series).unwrap();
    for number in 1..=400 {
        // Smaller than a window.
        write_png16(&series.join(format!("{number}.png")), &Image::from_fn(8, 8, |x, _| x as f32)).unwrap();
    }
    let ended = piv(&series, &[]);
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
    assert_eq!(ended.err.matches("the run ends early").count(), 1, "{}", ended.err);
    assert!(ended.out.contains("stopped: 0 of 399 couples done"), "{}", ended.out);
    assert!(!ended.out.contains("399 failed"), "{}", ended.out);
}

#[test]
fn piv_12_mean_does_not_average_pictures_of_results() {
    let folder = Folder::new();
    synth(&folder.join("series"), 1, 64);
    let out = folder.join("out");
    let ended =
        run(terzetto().arg("piv").arg(folder.join("series")).arg("--out").arg(&out).args(["--window", "16"]));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    let ended = run(terzetto().arg("mean").arg(&out));
    assert_eq!(ended.status, Some(2), "{}{}", ended.out, ended.err);
    assert!(
        ended.err.contains("is a picture of a result") && ended.err.contains("terzetto fields"),
        "{}",
        ended.err
    );
    assert!(!folder.join("out.mean").exists(), "nothing is written");
    let ended = run(terzetto().arg("mean").arg(folder.join("series")));
    assert_eq!(ended.status, Some(0), "images of the same folder are averaged as ever: {}", ended.err);
}

#[test]
fn piv_14_an_unknown_option_is_not_taken_for_a_file() {
    let ended = run(terzetto().args(["piv", "series", "--masks", "0.1"]));
    assert!(ended.status == Some(2) && !ended.err.contains("-- --masks"), "{}", ended.err);
}

#[test]
fn piv_14_scale_and_dt_give_velocities_in_results_and_statistics() {
    let folder = Folder::new();
    synth(&folder.join("series"), 2, 64);
    let (series, out) = (folder.join("series"), folder.join("out"));
    let ended = piv(&series, &["--scale", "25um", "--dt", "1ms"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let table = fs::read_to_string(out.join("piv_couple_0001a-b.csv")).unwrap();
    let table = terzetto_program::results::parse_csv(&table).unwrap();
    assert!(table.rows.iter().any(|row| row.dy != 0.0));
    for row in &table.rows {
        let [u, v] = row.velocity.expect("a velocity");
        // 25 µm in 1 ms are 25 mm/s; y of velocities points upwards. The text has five digits of the displacement.
        assert!((u - 0.025 * row.dx).abs() < 2e-7 && (v + 0.025 * row.dy).abs() < 2e-7, "{row:?}");
    }
    let bytes = fs::read(out.join("piv_couple_0001a-b.nc")).unwrap();
    let scale = terzetto_kernels::output::decode_scale(&bytes).unwrap().expect("a scale");
    assert!((scale.velocity(1.0) - 0.025).abs() < 1e-15);
    // Statistics take the scale of the results.
    let ended = run(terzetto().arg("fields").arg(&out));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let data = terzetto_kernels::output::netcdf::Dataset::decode(
        &fs::read(out.join("fields/statistics.nc")).unwrap(),
    );
    let data = data.unwrap();
    let units = |name: &str| {
        let attributes = &data.variable(name).unwrap().attributes;
        attributes.iter().find(|(name, _)| name == "units").unwrap().1.clone()
    };
    assert_eq!(units("u"), "m s-1".into());
    assert_eq!((units("uv"), units("vorticity"), units("x")), ("m2 s-2".into(), "s-1".into(), "1".into()));
    let means = data.variable("u").unwrap().values.to_f64().unwrap();
    assert!(means.iter().all(|u| u.abs() < 0.025 * 8.0), "{means:?}");
    // Other numbers are other results; one of both alone, or what is no length, is refused.
    let ended = piv(&series, &["--scale", "50um", "--dt", "1ms", "--complete"]);
    assert!(ended.status == Some(2) && ended.err.contains("scale"), "{}", ended.err);
    let ended = piv(&series, &["--scale", "25um"]);
    assert!(ended.status == Some(2) && ended.err.contains("scale.dt: is missing"), "{}", ended.err);
    let ended = piv(&series, &["--scale", "25ms", "--dt", "1ms"]);
    assert!(ended.status == Some(2) && ended.err.contains("a length such as"), "{}", ended.err);
    let ended = run(terzetto()
        .arg("piv")
        .arg(&series)
        .args(["--executor", "multi", "--processes", "2", "--window"])
        .args(["16", "--no-plots", "--scale", "25um", "--dt", "1ms", "--out"])
        .arg(folder.join("multi")));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(
        fs::read(folder.join("multi/piv_couple_0001a-b.nc")).unwrap(),
        bytes,
        "processes get the scale, too"
    );
}

#[test]
fn piv_14_a_region_outside_the_image_is_told_in_words() {
    let folder = Folder::new();
    synth(&folder.join("series"), 1, 64);
    let params = folder.join("params.toml");
    fs::write(&params, "[piv]\nregion = { left = 10, top = 0, width = 64, height = 32 }\n").unwrap();
    let ended = piv(&folder.join("series"), &["--params", params.to_str().unwrap()]);
    let text = "64 x 32 px from column 10 and row 0 on are not inside the image of 64 x 64 px";
    assert!(ended.status == Some(1) && ended.err.contains(text), "{}{}", ended.out, ended.err);
    assert!(!ended.err.contains("Region {"), "{}", ended.err);
}

#[test]
fn piv_fields_has_the_mean_and_the_stresses_of_a_series_in_physical_units() {
    let folder = Folder::new();
    let series = folder.join("series");
    let ended = run(terzetto().arg("synth").arg(&series).args([
        "--pairs",
        "4",
        "--size",
        "128",
        "--flow",
        "uniform",
        "--displacement",
        "3",
        "--quiet",
    ]));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    assert_eq!(piv(&series, &["--window", "32"]).status, Some(2), "an option is there twice");
    let ended = piv(&series, &[]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let out = folder.join("out");
    // 0.5 mm a pixel, 10 ms: 1 px is 50 mm/s.
    let ended = run(terzetto().arg("fields").arg(&out).args(["--scale", "0.5", "--dt", "0.01", "--each"]));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("statistics of 4 fields"), "{}", ended.out);
    let written = names(&out.join("fields"), "");
    for name in [
        "mean.vtk",
        "mean.dat",
        "mean.txt",
        "mean.mat",
        "statistics.nc",
        "report.html",
        "piv_couple_0003a-b.vtk",
    ] {
        assert!(written.iter().any(|found| found == name), "{name} in {written:?}");
    }
    let data = terzetto_kernels::output::netcdf::Dataset::decode(
        &fs::read(out.join("fields/statistics.nc")).unwrap(),
    );
    let data = data.unwrap();
    let values = |name: &str| data.variable(name).unwrap().values.to_f64().unwrap();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let table = fs::read_to_string(out.join("piv_couple_0001a-b.csv")).unwrap();
    let truth = terzetto_program::results::parse_csv(&table).unwrap();
    let dx = mean(&truth.rows.iter().map(|row| row.dx).collect::<Vec<_>>());
    assert!((mean(&values("u")) - 50.0 * dx).abs() < 2.5, "{} {dx}", mean(&values("u")));
    assert!(values("count").iter().all(|&count| count <= 4.0) && mean(&values("count")) > 3.8);
    assert!(values("uu").iter().all(|stress| *stress >= 0.0) && mean(&values("u_rms")) < 50.0 * 0.2);
    let page = fs::read_to_string(out.join("fields/report.html")).unwrap();
    assert!(page.contains("4 fields") && page.contains("<svg") && !page.contains("<script"));
    let ended = run(terzetto().arg("fields").arg(&series));
    assert!(ended.status == Some(2) && ended.err.contains("holds no result"), "{}", ended.err);
}
