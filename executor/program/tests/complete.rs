//! `--complete`: a result is done if it is whole, and made of the same images in the same way. All else is computed
//! again or refused, and named.

mod common;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use common::{
    half_written, jobs, names, run,
    series::{Series, ended, has, text},
    terzetto,
};

/// All results, by name, and the manifests.
fn results(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in [out.to_owned(), out.join("manifests")] {
        for name in names(&folder, "") {
            let path = folder.join(&name);
            // How a series was split is no result of it.
            if path.is_file() && name != "parts.toml" {
                found.insert(name, fs::read(path).expect("a result"));
            }
        }
    }
    found
}

/// When each result was written.
fn times(out: &Path) -> BTreeMap<String, SystemTime> {
    let time = |name: &String| fs::metadata(out.join(name)).and_then(|data| data.modified()).expect("a time");
    let names = [names(out, ".csv"), names(out, ".nc"), names(out, ".png")].concat();
    names.into_iter().map(|name| (name.clone(), time(&name))).collect()
}

/// Changes one byte of a file and nothing else that `ls` shows.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("a file");
    let at = bytes.len() - 3;
    bytes[at] ^= 1;
    let time = fs::metadata(path).and_then(|data| data.modified()).expect("a time");
    fs::write(path, bytes).expect("the test's own folder");
    File::options().append(true).open(path).and_then(|file| file.set_modified(time)).expect("a time");
}

#[test]
fn what_is_not_whole_is_computed_again_and_named() {
    let series = Series::computed(2);
    let reference = results(&series.out);
    let csv = series.out.join("piv_couple_0001a-b.csv");
    let nc = series.out.join("piv_couple_0001a-b.nc");
    let bytes = |path: &Path| fs::read(path).expect("a result");
    let (csv_bytes, nc_bytes) = (bytes(&csv), bytes(&nc));
    let damages: [(&dyn Fn(), &str); 7] = [
        (&|| fs::write(&csv, "").expect("damage"), "`piv_couple_0001a-b.csv` has 0 bytes"),
        (&|| fs::write(&csv, "junk").expect("damage"), "has 4 bytes"),
        (&|| fs::write(&nc, &nc_bytes[..100]).expect("damage"), "`piv_couple_0001a-b.nc` has 100 bytes"),
        (&|| fs::write(&csv, &csv_bytes[..csv_bytes.len() / 2]).expect("damage"), "bytes, and "),
        (&|| flip(&nc), "the content of `piv_couple_0001a-b.nc` is not what was written"),
        (
            &|| fs::remove_file(series.out.join("manifests/piv_couple_0001a-b.toml")).expect("damage"),
            "no manifest says",
        ),
        (
            &|| fs::write(series.out.join("manifests/piv_couple_0001a-b.toml"), "x = 1").expect("damage"),
            "is broken",
        ),
    ];
    for (damage, message) in damages {
        damage();
        let again = series.piv(&["--complete"]);
        ended(&again, 0);
        has(&again.out, "1 of them done before");
        has(&again.out, "1 of 1 couples done");
        has(&again.err, message);
        has(&again.err, "piv_couple_0001a-b: ");
        assert!(results(&series.out) == reference, "{message}: as before the damage");
    }
    let nothing = series.piv(&["--complete"]);
    assert!(nothing.err.is_empty(), "{}", nothing.err);
    has(&nothing.out, "2 of them done before");
}

#[test]
fn other_parameters_are_refused_by_name() {
    let series = Series::computed(2);
    let before = times(&series.out);
    let refused = series.piv(&["--complete", "--window", "24", "--overlap", "0.75"]);
    ended(&refused, 2);
    for part in [
        "results that were made otherwise, and nothing was computed",
        "2 results, such as piv_couple_0001a-b: piv.passes[0].window was 16, is 24",
        "piv.passes[0].overlap was 0.5, is 0.75",
        "--if-changed recompute",
        "--if-changed keep",
        "--saving new-dir",
    ] {
        has(&refused.err, part);
    }
    assert_eq!(times(&series.out), before);
    assert_eq!(jobs(&series.out).len(), 1, "no run began");
    // By several processes, too.
    ended(&series.piv(&["--complete", "--window", "24", "--executor", "multi"]), 2);
    assert_eq!(times(&series.out), before);
}

#[test]
fn results_made_otherwise_are_computed_again_if_asked() {
    let series = Series::computed(2);
    for (executor, window) in [("async", "24"), ("multi", "32")] {
        let reference = series.folder.join(&format!("reference{window}"));
        ended(&series.piv(&["--window", window, "--out", &text(&reference)]), 0);
        let args = ["--complete", "--if-changed", "recompute", "--window", window, "--executor", executor];
        let again = series.piv(&args);
        ended(&again, 0);
        has(&again.out, "2 of 2 couples done");
        assert!(results(&series.out) == results(&reference));
    }
}

#[test]
fn results_made_otherwise_are_kept_if_asked_and_it_is_said() {
    let series = Series::computed(2);
    fs::remove_file(series.out.join("piv_couple_0002a-b.csv")).expect("a result");
    fs::remove_file(series.out.join("piv_couple_0002a-b.nc")).expect("a result");
    let before = times(&series.out);
    let kept = series.piv(&["--complete", "--if-changed", "keep", "--window", "24"]);
    ended(&kept, 0);
    has(&kept.out, "1 of 1 couples done");
    has(&kept.err, "kept as it is: piv_couple_0001a-b: piv.passes[0].window was 16, is 24");
    let after = times(&series.out);
    assert!(before.iter().all(|(name, time)| after[name] == *time));
}

#[test]
fn another_rule_for_couples_is_refused() {
    let series = Series::numbered(4);
    ended(&series.piv(&["--couples", "consecutive"]), 0);
    let refused = series.piv(&["--complete", "--couples", "pairs"]);
    ended(&refused, 2);
    has(&refused.err, "couples was \"consecutive\", is \"pairs\"");
    // Who computes all again is told what the rule before has left.
    let again = series.piv(&["--saving", "recompute", "--couples", "pairs"]);
    ended(&again, 0);
    has(&again.err, "not of this run, and they stay: piv_2-3: couples was \"consecutive\", is \"pairs\"");
}

#[test]
fn images_that_have_changed_are_named() {
    let series = Series::computed(3);
    let other = Series::new(3);
    let changed = series.image("couple_0002b.png");
    // Touched: nothing has changed. Nor has it if the same bytes are written again.
    let bytes = fs::read(&changed).expect("an image");
    fs::write(&changed, &bytes).expect("the test's own folder");
    let time = SystemTime::now() + Duration::from_secs(60);
    File::options().append(true).open(&changed).and_then(|file| file.set_modified(time)).expect("a time");
    has(&series.piv(&["--complete"]).out, "3 of them done before");
    // Another image, another length; and another one of the same length.
    fs::copy(other.image("couple_0003b.png"), &changed).expect("a copy");
    for message in ["image `couple_0002b.png` has changed since", "couple_0002a-b: image `couple_0002b.png`"]
    {
        let refused = series.piv(&["--complete"]);
        ended(&refused, 2);
        has(&refused.err, message);
    }
    let before = times(&series.out);
    let again = series.piv(&["--complete", "--if-changed", "recompute"]);
    has(&again.out, "1 of 1 couples done");
    let after = times(&series.out);
    for (name, time) in before {
        assert_eq!(after[&name] != time, name.contains("0002"), "{name}");
    }
    has(&series.piv(&["--complete"]).out, "3 of them done before");
    let mut bytes = fs::read(&changed).expect("an image");
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&changed, bytes).expect("the test's own folder");
    has(&series.piv(&["--complete"]).err, "image `couple_0002b.png` has changed since");
}

#[test]
fn results_of_another_series_are_refused() {
    let series = Series::computed(1);
    let others = series.folder.join("others");
    fs::create_dir(&others).expect("the test's own folder");
    for name in names(&series.images, ".png") {
        fs::copy(series.image(&name), others.join(name.replace("couple", "other"))).expect("a copy");
    }
    let mut command = terzetto();
    command.arg("piv").arg(&others).arg("--out").arg(&series.out).args([
        "--window",
        "16",
        "--no-plots",
        "--complete",
    ]);
    let refused = run(&mut command);
    ended(&refused, 2);
    has(&refused.err, "piv_couple_0001a-b: image `couple_0001a.png` is not in the series");
    let both = run(command.args(["--if-changed", "recompute"]));
    ended(&both, 0);
    has(&both.err, "not of this run, and they stay: piv_couple_0001a-b");
}

#[test]
fn ranges_of_one_series_share_a_folder() {
    let series = Series::numbered(6);
    ended(&series.piv(&["--range", "1:4"]), 0);
    let more = series.piv(&["--complete", "--range", "3:"]);
    ended(&more, 0);
    has(&more.out, "3 of 3 couples done");
    let all = series.piv(&["--complete"]);
    ended(&all, 0);
    has(&all.out, "5 couples (consecutive), 5 of them done before");
}

/// As an older version would have written it.
fn rewrite_manifests(out: &Path, change: impl Fn(&str) -> String) {
    for name in names(&out.join("manifests"), ".toml") {
        let path = out.join("manifests").join(name);
        let manifest = fs::read_to_string(&path).expect("a manifest");
        let (_, body) = manifest.split_once('\n').expect("a checksum");
        let body = change(body);
        let checksum = crc32fast::hash(body.as_bytes());
        fs::write(&path, format!("checksum = \"{checksum:08x}\"\n{body}")).expect("the test's own folder");
    }
}

#[test]
fn results_of_another_version_are_refused() {
    let series = Series::computed(1);
    rewrite_manifests(&series.out, str::to_owned);
    has(&series.piv(&["--complete"]).out, "1 of them done before");
    rewrite_manifests(&series.out, |body| body.replace("program = \"terzetto ", "program = \"terzetto 0."));
    let refused = series.piv(&["--complete"]);
    ended(&refused, 2);
    has(&refused.err, "program was \"terzetto 0.");
}

#[test]
fn a_mask_counts_by_its_content() {
    let series = Series::new(1);
    let mask = |left: usize| {
        let image = terzetto_kernels::Image::from_fn(48, 48, |x, _| if x < left { 0.0 } else { 255.0 });
        terzetto_kernels::write_png16(&series.folder.join("mask.png"), &image)
            .expect("the test's own folder");
    };
    mask(10);
    let params = series.folder.join("params.toml");
    fs::write(&params, "[piv]\nmask = \"mask.png\"\n").expect("the test's own folder");
    let params = text(&params);
    ended(&series.piv(&["--params", &params]), 0);
    mask(10);
    has(&series.piv(&["--params", &params, "--complete"]).out, "1 of them done before");
    mask(20);
    let refused = series.piv(&["--params", &params, "--complete"]);
    ended(&refused, 2);
    has(&refused.err, "mask was \"");
    has(&series.piv(&["--complete"]).err, "is absent");
}

#[test]
fn a_background_counts_by_the_images_it_is_made_of() {
    let series = Series::computed(2);
    fs::remove_dir_all(&series.out).expect("the test's own folder");
    let params = series.folder.join("params.toml");
    fs::write(&params, "[preprocess.background]\nstatistic = \"minimum\"\n").expect("the test's own folder");
    let params = text(&params);
    ended(&series.piv(&["--params", &params]), 0);
    has(&series.piv(&["--params", &params, "--complete"]).out, "2 of them done before");
    let other = Series::new(3);
    for letter in ["a", "b"] {
        let name = format!("couple_0003{letter}.png");
        fs::copy(other.image(&name), series.image(&name)).expect("a copy");
    }
    let refused = series.piv(&["--params", &params, "--complete"]);
    ended(&refused, 2);
    has(&refused.err, "background was \"4 files, checksum");
}

#[test]
fn a_dry_run_lists_what_would_be_computed_and_why() {
    let series = Series::new(3);
    let dry = series.piv(&["--dry-run"]);
    ended(&dry, 0);
    has(&dry.out, "piv_couple_0001a-b: no result\n");
    has(&dry.out, "would compute 3 of 3 couples");
    assert!(!series.out.exists(), "nothing is written");
    ended(&series.piv(&[]), 0);
    fs::write(series.out.join("piv_couple_0001a-b.csv"), "").expect("damage");
    fs::remove_file(series.out.join("piv_couple_0003a-b.nc")).expect("damage");
    let before = (results(&series.out), jobs(&series.out).len());
    // Whoever only looks need not say what is to become of results.
    for args in [
        &["--dry-run"][..],
        &["--dry-run", "--complete"],
        &["--dry-run", "--complete", "--executor", "multi"],
    ] {
        let dry = series.piv(args);
        ended(&dry, 0);
        has(&dry.out, "piv_couple_0001a-b: `piv_couple_0001a-b.csv` has 0 bytes, and ");
        has(&dry.out, "piv_couple_0003a-b: `piv_couple_0003a-b.nc` is missing");
        has(&dry.out, "would compute 2 of 3 couples");
        assert!(!dry.out.contains("0002"), "{}", dry.out);
    }
    let dry = series.piv(&["--dry-run", "--saving", "recompute"]);
    has(&dry.out, "piv_couple_0002a-b: everything is computed again");
    // What would be refused is listed, too.
    let dry = series.piv(&["--dry-run", "--complete", "--window", "24"]);
    ended(&dry, 2);
    has(&dry.out, "piv_couple_0002a-b: piv.passes[0].window was 16, is 24");
    let dry = series.piv(&["--dry-run", "--complete", "--window", "24", "--if-changed", "recompute"]);
    ended(&dry, 0);
    has(&dry.out, "would compute 3 of 3 couples");
    assert!((results(&series.out), jobs(&series.out).len()) == before);
}

#[test]
fn files_that_were_made_otherwise_do_not_stay_beside_new_ones() {
    let series = Series::computed(1);
    // Of the same parameters, another format is only added.
    ended(&series.piv(&["--saving", "recompute", "--format", "csv"]), 0);
    assert_eq!(names(&series.out, ".nc").len(), 1);
    has(&series.piv(&["--complete"]).out, "1 of them done before");
    ended(&series.piv(&["--saving", "recompute", "--format", "csv", "--window", "24"]), 0);
    assert_eq!((names(&series.out, ".csv").len(), names(&series.out, ".nc").len()), (1, 0));
    has(&series.piv(&["--complete", "--window", "24"]).out, "1 of 1 couples done");
    assert_eq!(names(&series.out, ".nc").len(), 1);
}

#[test]
fn pictures_that_are_asked_for_belong_to_the_result() {
    let series = Series::computed(1);
    let magnitude = ["--complete", "--plots", "magnitude"];
    let mut command = terzetto();
    command
        .arg("piv")
        .arg(&series.images)
        .arg("--out")
        .arg(&series.out)
        .args(["--window", "16"])
        .args(magnitude);
    has(&run(&mut command).out, "1 of 1 couples done");
    has(&run(&mut command).out, "1 of them done before");
    fs::write(series.out.join("piv_couple_0001a-b_magnitude.png"), "junk").expect("damage");
    has(&run(&mut command).out, "1 of 1 couples done");
}

#[test]
fn files_of_unknown_origin_are_told_and_not_touched() {
    let series = Series::computed(1);
    let stranger = series.out.join("piv_9-10.csv");
    fs::write(&stranger, "from elsewhere").expect("the test's own folder");
    let complete = series.piv(&["--complete"]);
    ended(&complete, 0);
    has(&complete.err, "1 files of unknown origin, such as `piv_9-10.csv`");
    assert_eq!(fs::read_to_string(stranger).expect("it is there"), "from elsewhere");
}

#[test]
fn parts_write_the_same_bytes_as_the_whole() {
    let series = Series::computed(5);
    let whole = results(&series.out);
    assert_eq!(whole.len(), 5 * 3);
    for (name, bytes) in &whole {
        let folder = text(&series.out);
        assert!(!String::from_utf8_lossy(bytes).contains(&folder), "{name} knows where it lies");
    }
    let parts = text(&series.folder.join("parts"));
    for shard in ["2/3", "1/3", "3/3"] {
        ended(&series.piv(&["--out", &parts, "--complete", "--shard", shard]), 0);
    }
    assert!(results(Path::new(&parts)) == whole);
    for executor in ["multi", "sequential", "async-sequential"] {
        let out = text(&series.folder.join(executor));
        ended(&series.piv(&["--out", &out, "--executor", executor]), 0);
        assert!(results(Path::new(&out)) == whole, "{executor}");
    }
}

#[test]
fn a_series_and_its_results_may_be_moved() {
    let series = Series::computed(2);
    let moved = series.folder.join("moved");
    fs::create_dir(&moved).expect("the test's own folder");
    for name in ["series", "out"] {
        fs::rename(series.folder.join(name), moved.join(name)).expect("a rename");
    }
    let mut command = terzetto();
    command.arg("piv").arg(moved.join("series")).arg("--out").arg(moved.join("out"));
    let again = run(command.args(["--window", "16", "--no-plots", "--complete"]));
    has(&again.out, "2 of them done before");
}

#[test]
fn nothing_is_left_half_written() {
    let series = Series::computed(1);
    assert_eq!(half_written(&series.out), Vec::<String>::new());
    assert_eq!(half_written(&series.out.join("manifests")), Vec::<String>::new());
    // As a killed run leaves it; no process has this number.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
    let leftover = series.out.join("manifests").join(format!(".piv_x.toml.{host}-4294967295-0.part"));
    fs::write(&leftover, "half").expect("the test's own folder");
    ended(&series.piv(&["--complete"]), 0);
    assert!(!leftover.exists(), "the leftover is removed");
}
