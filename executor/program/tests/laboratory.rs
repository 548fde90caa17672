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
fn piv_uncertainty_is_in_both_files_if_it_is_asked_for() {
    let folder = Folder::new();
    synth(&folder.join("series"), 1, 64);
    let ended = piv(&folder.join("series"), &["--uncertainty", "--passes", "2"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let table = fs::read_to_string(folder.join("out/piv_couple_0001a-b.csv")).unwrap();
    let table = terzetto_program::results::parse_csv(&table).unwrap();
    let result = decode(&fs::read(folder.join("out/piv_couple_0001a-b.nc")).unwrap()).unwrap();
    assert_eq!(result.uncertainty.len(), table.rows.len());
    let mut known = 0;
    for (row, [dx, _]) in table.rows.iter().zip(&result.uncertainty) {
        let [of_row, _] = row.uncertainty.expect("a column");
        assert!((of_row - dx).abs() < 1e-5 || of_row.is_nan() && dx.is_nan(), "{row:?} {dx}");
        known += usize::from(*dx > 0.0 && *dx < 0.5);
    }
    assert!(2 * known > table.rows.len(), "{known} of {}", table.rows.len());
}

#[test]
fn piv_ensemble_is_one_result_of_all_couples() {
    let folder = Folder::new();
    let series = folder.join("series");
    let ended = run(terzetto()
        .arg("synth")
        .arg(&series)
        .args(["--pairs", "12", "--size", "96", "--quiet"])
        .args(["--flow", "uniform", "--displacement", "2", "--noise", "0.3"]));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    let ended = piv(&series, &["--ensemble", "--passes", "1"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let out = folder.join("out");
    assert_eq!(names(&out, ".csv"), ["piv_ensemble.csv"]);
    let field = decode(&fs::read(out.join("piv_ensemble.nc")).unwrap()).unwrap().passes.pop().unwrap();
    let errors = field.vectors.iter().map(|vector| (vector.dx.hypot(vector.dy) - 2.0).abs());
    assert!(field.share_valid() > 0.95 && errors.fold(0.0, f64::max) < 0.5, "{}", field.share_valid());
    let again = piv(&series, &["--ensemble", "--passes", "1", "--complete"]);
    assert_eq!(again.status, Some(0), "{}{}", again.out, again.err);
    // Other couples make another ensemble, which is computed again; results of couples and of an ensemble do not mix.
    let other = piv(&series, &["--ensemble", "--passes", "1", "--complete", "--range", "1:5"]);
    assert_eq!(other.status, Some(0), "{}{}", other.out, other.err);
    assert!(other.err.contains("computed again: piv_ensemble: images were"), "{}", other.err);
    let refused = piv(&series, &["--passes", "1", "--complete"]);
    assert_eq!(refused.status, Some(2), "{}{}", refused.out, refused.err);
    let refused = piv(&series, &["--ensemble", "--executor", "multi"]);
    assert!(refused.status == Some(2) && refused.err.contains("by one process"), "{}", refused.err);
}

#[test]
fn piv_calibration_of_a_target_dewarps_a_series() {
    let folder = Folder::new();
    // Dots of 6 px, 16 px apart, which are 4 mm; columns are stretched more and more to the right.
    let target = Image::from_fn(160, 128, |x, y| {
        let (x, y) = (x as f32 / (1.0 + 2e-4 * x as f32), y as f32);
        let from = |at: f32| (at + 8.0).rem_euclid(16.0) - 8.0;
        if from(x).hypot(from(y)) < 3.5 { 200.0 } else { 20.0 }
    });
    write_png16(&folder.join("target.png"), &target).unwrap();
    let file = folder.join("camera.toml");
    let calibrate = |spacing: &str| {
        run(terzetto()
            .arg("calibrate")
            .arg(folder.join("target.png"))
            .args(["--spacing", spacing, "--out"])
            .arg(&file))
    };
    let ended = calibrate("4mm");
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("dots,") && ended.out.contains("--scale 2."), "{}", ended.out);
    let params = folder.join("params.toml");
    fs::write(&params, "[preprocess]\ncalibration = \"camera.toml\"\n").unwrap();
    let params = params.to_str().unwrap();
    fs::create_dir(folder.join("series")).unwrap();
    write_png16(&folder.join("series/1.png"), &target).unwrap();
    let ended = run(terzetto()
        .arg("preprocess")
        .arg(folder.join("series"))
        .args(["--params", params, "--out"])
        .arg(folder.join("pre")));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    // Dewarped, the dots are at equal distances: the row of dots through the middle repeats itself.
    let image = terzetto_kernels::read_image(&folder.join("pre/1.png")).unwrap();
    let again = terzetto_kernels::calibration::Calibration::of_target(&image, 4e-3).unwrap();
    for steps in [-3.0, 3.0] {
        let [column, _] = again.to_pixel([4e-3 * steps, 0.0]);
        let [origin, _] = again.to_pixel([0.0, 0.0]);
        let wanted = 4e-3 * steps / again.pixel_size();
        // As photographed, three steps to the right are almost a pixel longer than three to the left.
        assert!((column - origin - wanted).abs() < 0.15, "{} {wanted}", column - origin);
    }
    // Results belong to the content of the calibration; images of another size, and other files, are refused.
    synth(&folder.join("other"), 1, 64);
    let ended = piv(&folder.join("other"), &["--params", params]);
    assert!(
        ended.status == Some(1) && ended.err.contains("that of the calibration has 64 x 64"),
        "{}",
        ended.err
    );
    fs::write(&file, "spacing = 3\n").unwrap();
    let ended = piv(&folder.join("other"), &["--params", params]);
    assert!(ended.status == Some(2) && ended.err.contains("preprocess.calibration"), "{}", ended.err);
    let ended = run(terzetto()
        .arg("calibrate")
        .arg(folder.join("other/couple_0001a.png"))
        .args(["--spacing", "4mm"]));
    assert!(ended.status == Some(2), "{}{}", ended.out, ended.err);
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

#[test]
fn piv_fields_has_modes_and_a_spectrum_of_a_series() {
    let folder = Folder::new();
    synth(&folder.join("series"), 10, 96);
    assert_eq!(piv(&folder.join("series"), &[]).status, Some(0));
    let out = folder.join("out");
    let fields = |args: &[&str]| run(terzetto().arg("fields").arg(&out).args(args));
    let ended =
        fields(&["--modes", "3", "--spectrum", "4", "--interval", "10ms", "--scale", "1mm", "--dt", "1ms"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let data = fs::read(out.join("fields/modes.nc")).unwrap();
    let data = terzetto_kernels::output::netcdf::Dataset::decode(&data).unwrap();
    let values = |name: &str| data.variable(name).unwrap().values.to_f64().unwrap();
    let (energies, coefficients) = (values("energy"), values("coefficient"));
    assert_eq!((energies.len(), coefficients.len()), (3, 30));
    for (mode, energy) in energies.iter().enumerate() {
        let squares = coefficients.iter().skip(mode).step_by(3).map(|value| value * value);
        assert!((squares.sum::<f64>() / 10.0 / energy - 1.0).abs() < 0.02, "mode {mode}");
    }
    assert!(energies[0] >= energies[1] && values("share").iter().sum::<f64>() <= 1.0);
    let spectrum = fs::read_to_string(out.join("fields/spectrum.csv")).unwrap();
    let last = spectrum.lines().last().unwrap();
    assert!(spectrum.contains("frequency: Hz") && last.starts_with("5.000000000e1,"), "{spectrum}");
    assert_eq!(spectrum.lines().filter(|line| !line.starts_with(['#', 'f'])).count(), 3);
    for (args, hint) in [
        (&["--modes", "0"][..], "parameter `modes` is 0"),
        (&["--spectrum", "5"], "parameter `segment` is 5"),
        (&["--spectrum", "16"], "10 fields are fewer than one segment of 16"),
    ] {
        let refused = fields(args);
        assert!(refused.status == Some(2) && refused.err.contains(hint), "{}", refused.err);
    }
}
