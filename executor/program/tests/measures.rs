//! Uncertainties, ensembles, calibrations, modes: what a laboratory has from other programs, and wants here.

mod common;

use std::{fs, path::Path};

use terzetto_kernels::{Image, output::decode, write_png16};

use common::{Ended, Folder, names, run, synth, terzetto};

fn piv(folder: &Path, args: &[&str]) -> Ended {
    run(terzetto()
        .arg("piv")
        .arg(folder)
        .args(["--no-plots", "--window", "16", "--out"])
        .arg(folder.join("../out"))
        .args(args))
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
