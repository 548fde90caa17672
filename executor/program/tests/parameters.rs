//! Parameters as users give them: a file, options that override it, ranges, couples, and what is kept of them.

mod common;

use std::{fs, path::Path};

use terzetto_kernels::output::{decode, netcdf::Dataset, netcdf::Values};
use terzetto_program::{params::Params, results::parse_csv};

use common::{Ended, Folder, jobs, names, run, synth, terzetto};

fn piv(folder: &Path, args: &[&str]) -> Ended {
    run(terzetto().arg("piv").arg(folder).args(["--complete"]).args(args))
}

/// The names of the couples that a run has computed.
fn couples(out: &Path) -> Vec<String> {
    let name = |file: &String| file.trim_start_matches("piv_").trim_end_matches(".csv").to_owned();
    names(out, ".csv").iter().map(name).collect()
}

#[test]
fn the_defaults_are_printed_as_a_file_that_can_be_used() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 1, 64);
    let printed = run(terzetto().arg("params"));
    assert_eq!(printed.status, Some(0));
    assert_eq!(Params::parse(&printed.out, "printed"), Ok(Params::default()));
    let file = folder.join("params.toml");
    fs::write(&file, printed.out).expect("the test's own folder");
    let file = file.display().to_string();
    let (out, plain) = (folder.join("out"), folder.join("plain"));
    for (out, args) in [(&out, vec!["--params", &file]), (&plain, Vec::new())] {
        let ended = run(terzetto().arg("piv").arg(&images).arg("--out").arg(out).args(args));
        assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    }
    let read = |out: &Path| fs::read_to_string(out.join("piv_couple_0001a-b.csv")).expect("a table");
    assert_eq!(read(&out), read(&plain));
}

#[test]
fn a_file_is_obeyed_and_options_override_it() {
    let folder = Folder::new();
    synth(&folder.join("series"), 2, 128);
    let file = folder.join("two.toml");
    let text = r#"
        [series]
        path = "series"
        range = "2:"
        [piv]
        region = { left = 16, top = 0, width = 96, height = 112 }
        [[piv.passes]]
        window = 32
        [[piv.passes]]
        window = 16
        overlap = 0.25
        correlation = "circular"
        predictor = "deform"
        [output]
        formats = ["netcdf"]
        plots = ["magnitude"]
    "#;
    fs::write(&file, text).expect("the test's own folder");
    // The folder is the file's.
    let ended = run(terzetto().args(["piv", "--params"]).arg(&file));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("2 images, 1 couple (ab)"), "{}", ended.out);
    let out = folder.join("series.piv");
    assert_eq!(names(&out, ".nc"), ["piv_couple_0002a-b.nc"]);
    assert_eq!(names(&out, ".png"), ["piv_couple_0002a-b_magnitude.png"]);
    assert_eq!(names(&out, ".csv"), [""; 0]);

    let bytes = fs::read(out.join("piv_couple_0002a-b.nc")).expect("a result");
    let result = decode(&bytes).expect("a sound file");
    let grids: Vec<_> = result.passes.iter().map(|field| (field.nx, field.ny)).collect();
    assert_eq!(grids, [(5, 6), (7, 9)]);
    assert_eq!(result.passes[0].vectors[0].x, 16.0 + 15.5);
    let data = Dataset::decode(&bytes).expect("a sound file");
    let attribute = |name: &str| match data.attributes.iter().find(|(other, _)| other == name) {
        Some((_, Values::Text(text))) => text.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(attribute("couple"), "couple_0002a-b");
    assert!(attribute("image_1").ends_with("couple_0002b.png"));
    let units = &data.variable("dx").expect("displacements").attributes;
    assert!(units.contains(&("units".to_owned(), Values::from("1"))));
    // The parameters are kept whole, in the results and in the job's folder, and good for another run.
    let kept = Params::parse(&attribute("parameters"), "kept").expect("sound");
    assert_eq!(kept.piv, Params::read(&file).expect("sound").piv);
    assert_eq!(kept.series.path, Some(folder.join("series")));
    let job = jobs(&out).pop().expect("a job");
    assert_eq!(Params::read(&job.join("params.toml")), Ok(kept));

    let other = folder.join("other");
    let mut command = terzetto();
    command.args(["piv", "--params"]).arg(&file).arg("--out").arg(&other);
    let ended = run(command.args(["--window", "24", "--passes", "1", "--format", "csv", "--plots", "none"]));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!((names(&other, ".png"), names(&other, ".nc")), (Vec::new(), Vec::new()));
    let text = fs::read_to_string(other.join("piv_couple_0002a-b.csv")).expect("a table");
    let field = parse_csv(&text).expect("well formed");
    assert!(field.header.contains(&("window".to_owned(), "24 px".to_owned())), "{:?}", field.header);
}

#[test]
fn mistakes_are_told_with_file_key_and_value() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 1, 64);
    let file = folder.join("params.toml");
    let told = |text: &str| {
        fs::write(&file, text).expect("the test's own folder");
        let ended = run(terzetto().arg("piv").arg(&images).arg("--params").arg(&file));
        assert_eq!(ended.status, Some(2), "{text}: {}{}", ended.out, ended.err);
        ended.err
    };
    for (text, message) in [
        (
            "[[piv.passes]]\n[[piv.passes]]\nwindow = 0",
            "params.toml: piv.passes[1].window: 0, must be 4 to 4096 px",
        ),
        ("[piv]\nwindow = 32", "params.toml, line 2: piv.window: unknown field `window`"),
        ("[preprocess.temporal]", "preprocess.temporal: a filter over time needs a run of its own"),
        ("[piv]\nmask = \"none.png\"", "piv.mask: cannot read"),
        ("[series]\nrange = \"7:9\"", "none of the 2 images has a number in the range 7:9:1"),
    ] {
        let error = told(text);
        assert!(error.contains(message), "{error}\ninstead of\n{message}");
    }
    assert!(!folder.join("series.piv").exists(), "nothing was computed");
    for (args, message) in [
        (&["--window", "3"][..], "the command line: piv.passes[0].window: 3, must be 4 to 4096 px"),
        (&["--window", "16", "--passes", "4"], "the command line: piv.passes[3].window: 2"),
        (&["--overlap", "1"], "the command line: piv.passes[0].overlap: 1.0"),
        (&["--params", "missing.toml"], "missing.toml: cannot be read"),
        (&["--range", "1"], "--range"),
        (&["--couples", "triples"], "--couples"),
        (&["--format", "hdf5"], "--format"),
        (&["--format", "csv,csv"], "the command line: output.formats[1]: is there twice"),
        (&["--couples", "i:i+6:5"], "make no couple by the rule i:i+6:5"),
    ] {
        let ended = piv(&images, args);
        assert_eq!(ended.status, Some(2), "{args:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(message), "{}\ninstead of\n{message}", ended.err);
    }
    let ended = run(terzetto().arg("piv"));
    assert!(ended.status == Some(2) && ended.err.contains("which images?"), "{}", ended.err);
}

#[test]
fn ranges_and_couples() {
    let folder = Folder::new();
    let images = folder.join("images");
    synth(&images, 3, 64);
    // Six images with numbers, one of them missing in between.
    let series = folder.join("series");
    fs::create_dir(&series).expect("the test's own folder");
    for (number, name) in [1, 2, 3, 5, 6, 7].into_iter().zip(names(&images, ".png")) {
        fs::copy(images.join(name), series.join(format!("im_{number:02}.png"))).expect("a copy");
    }
    for (args, wanted) in [
        (&[][..], &["im_01-02", "im_02-03", "im_05-06", "im_06-07"][..]),
        (&["--couples", "order"], &["im_01-02", "im_02-03", "im_03-05", "im_05-06", "im_06-07"]),
        (&["--couples", "pairs"], &["im_01-02", "im_05-06"]),
        (&["--couples", "i:i+2"], &["im_01-02", "im_02-03", "im_05-06", "im_06-07"]),
        (&["--couples", "i:i+3:2"], &["im_01-03", "im_03-05", "im_05-07"]),
        (&["--range", "2:6"], &["im_02-03"]),
        (&["--range", "::3"], &["im_01-07"]),
        (&["--range", "5:", "--couples", "i:i+2"], &["im_05-06", "im_06-07"]),
    ] {
        let out = folder.join("out");
        let out_text = out.display().to_string();
        let ended = piv(&series, &[&["--out", &out_text, "--no-plots", "--format", "csv"], args].concat());
        // What has no partner is told by the status.
        assert!(ended.status.is_some_and(|status| status < 2), "{args:?}: {}{}", ended.out, ended.err);
        assert_eq!(couples(&out), wanted, "{args:?}");
        fs::remove_dir_all(out).expect("the test's own folder");
    }
    // Letters: the number is the couple's.
    let out = folder.join("out");
    let out_text = out.display().to_string();
    let ended = piv(&images, &["--out", &out_text, "--no-plots", "--couples", "ab", "--range", "2:"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(couples(&out), ["couple_0002a-b", "couple_0003a-b"]);
    // A pattern of file names; results go beside the folder.
    let ended = piv(&series.join("im_0[12]*.png"), &["--no-plots"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(couples(&folder.join("series.piv")), ["im_01-02"]);
}

#[test]
fn complete_computes_what_lacks_any_of_its_files() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 3, 64);
    let out = folder.join("series.piv");
    assert!(piv(&images, &["--no-plots", "--format", "csv"]).out.contains("3 of 3 couples done"));
    fs::remove_file(out.join("piv_couple_0003a-b.csv")).expect("a result");
    assert!(piv(&images, &["--no-plots", "--format", "csv"]).out.contains("2 of them done before"));
    // Files that were not asked for then are missing now.
    assert!(piv(&images, &["--no-plots"]).out.contains("3 of 3 couples done"));
    fs::remove_file(out.join("piv_couple_0002a-b.nc")).expect("a result");
    assert!(piv(&images, &["--no-plots"]).out.contains("1 of 1 couples done"));
    assert_eq!((names(&out, ".csv").len(), names(&out, ".nc").len()), (3, 3));
}

#[test]
fn several_processes_obey_the_file() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 4, 64);
    let file = folder.join("params.toml");
    fs::write(
        &file,
        "[series]\nrange = \"2:\"\n[[piv.passes]]\nwindow = 32\n[[piv.passes]]\nwindow = 16\n\
         [[preprocess.filters]]\nfilter = \"sliding_minimum\"\nradius = 3\n\
         [preprocess.background]\nstatistic = \"mean\"\n[output]\nplots = []\n",
    )
    .expect("the test's own folder");
    let compute = |executor: &str| {
        let out = folder.join(executor);
        let mut command = terzetto();
        command.arg("piv").arg(&images).arg("--out").arg(&out).arg("--params").arg(&file);
        let ended = run(command.args(["--executor", executor, "--processes", "2"]));
        assert_eq!(ended.status, Some(0), "{executor}: {}{}", ended.out, ended.err);
        assert!(ended.out.contains("3 of 3 couples done"), "{executor}: {}", ended.out);
        common::tables(&out)
    };
    let reference = compute("sequential");
    assert_eq!(reference.len(), 3);
    assert!(reference[0].1.contains("# window: 32, 16 px"), "{}", reference[0].1);
    for executor in ["async", "multi"] {
        assert!(compute(executor) == reference, "{executor} differs from sequential");
    }
}

#[test]
fn a_mask_hides_vectors() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 1, 64);
    let mask = terzetto_kernels::Image::from_fn(64, 64, |x, _| if x < 32 { 0.0 } else { 1.0 });
    terzetto_kernels::write_png16(&folder.join("mask.png"), &mask).expect("the test's own folder");
    let file = folder.join("params.toml");
    fs::write(&file, "[piv]\nmask = \"mask.png\"\npasses = [{ window = 16 }]")
        .expect("the test's own folder");
    let file = file.display().to_string();
    let ended = piv(&images, &["--no-plots", "--params", &file]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let out = folder.join("series.piv");
    let text = fs::read_to_string(out.join("piv_couple_0001a-b.csv")).expect("a table");
    for row in parse_csv(&text).expect("well formed").rows {
        // Windows of 16 px that lie on the left by more than half.
        assert_eq!(row.flags.contains("masked"), row.x < 31.0, "{row:?}");
    }
    let small = terzetto_kernels::Image::from_fn(32, 32, |_, _| 1.0);
    terzetto_kernels::write_png16(&folder.join("mask.png"), &small).expect("the test's own folder");
    fs::remove_dir_all(out).expect("the test's own folder");
    let ended = piv(&images, &["--no-plots", "--params", &file]);
    assert!(ended.status == Some(1) && ended.err.contains("the mask has 32 x 32 pixels"), "{}", ended.err);
}

#[test]
fn a_real_series_by_a_file() {
    let shared = match std::env::var_os("TERZETTO_SHARED") {
        Some(folder) => Path::new(&folder).join("images"),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/images"),
    };
    if !shared.is_dir() {
        println!("skipped: no {}", shared.display());
        return;
    }
    let folder = Folder::new();
    let file = folder.join("params.toml");
    let text = r#"
        [series]
        range = "2:"
        couples = "i:i+2"
        [[preprocess.filters]]
        filter = "sliding_minimum"
        radius = 10
        [[piv.passes]]
        window = 48
        [[piv.passes]]
        window = 24
        correlation = "circular"
    "#;
    fs::write(&file, text).expect("the test's own folder");
    let mut command = terzetto();
    command
        .arg("piv")
        .arg(shared.join("karman"))
        .arg("--params")
        .arg(&file)
        .arg("--out")
        .arg(folder.join("out"));
    let ended = run(&mut command);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let found = names(&folder.join("out"), ".nc");
    assert_eq!(found, ["piv_Karman_02-03.nc", "piv_Karman_03-04.nc"]);
    for name in found {
        let bytes = fs::read(folder.join("out").join(&name)).expect("a result");
        let result = decode(&bytes).expect("a sound file");
        let share = result.passes[1].share_valid();
        println!("{name}: {:.1} % valid", 100.0 * share);
        assert!(share > 0.7, "{name}: {share}");
    }
}
