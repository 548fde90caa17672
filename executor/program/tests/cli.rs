//! The program as its users meet it: the built binary, its files, its exit status.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use terzetto_program::results::parse_csv;

use common::{Ended, Folder, half_written, jobs, names, run, synth, tables, terzetto};

#[test]
fn without_arguments_it_explains_itself() {
    let ended = run(&mut terzetto());
    assert_eq!(ended.status, Some(0));
    for word in ["Usage: terzetto", "piv", "synth", "demo", "monitor", "topology", "Exit status"] {
        assert!(ended.out.contains(word), "{word} in\n{}", ended.out);
    }
}

#[test]
fn the_demo_measures_what_was_synthesised() {
    // A vortex in a small image turns too much within one window for a single pass.
    for (flow, size) in [("uniform", "256"), ("rotation", "256"), ("shear", "256"), ("vortex", "512")] {
        let folder = Folder::new();
        let ended =
            run(terzetto().arg("demo").arg(&folder.0).args(["--pairs", "2", "--size", size, "--flow", flow]));
        assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
        let (_, rest) = ended.out.split_once("mean absolute error ").expect("the error is printed");
        let error: f64 = rest.split_whitespace().next().and_then(|text| text.parse().ok()).expect("a number");
        println!("{flow}: {error} px");
        assert!(error > 0.0 && error < 0.05, "{flow}: {error} px\n{}", ended.out);
        let results = folder.join("images.piv");
        let couples = ["piv_couple_0001a-b", "piv_couple_0002a-b"];
        assert_eq!(names(&results, ".csv"), couples.map(|name| format!("{name}.csv")));
        assert_eq!(names(&results, ".png"), couples.map(|name| format!("{name}.png")));
        assert_eq!(jobs(&results).len(), 1);
        let picture = fs::read(results.join("piv_couple_0001a-b.png")).expect("a picture");
        assert!(picture.starts_with(b"\x89PNG"));
    }
}

#[test]
fn the_same_seed_gives_the_same_images() {
    let folder = Folder::new();
    let (a, b) = (folder.join("a"), folder.join("b"));
    synth(&a, 2, 64);
    synth(&b, 2, 64);
    assert_eq!(names(&a, ".png").len(), 4);
    for name in names(&a, "") {
        let read = |folder: &Path| fs::read(folder.join(&name)).expect("a file");
        assert!(read(&a) == read(&b), "{name} differs");
    }
}

#[test]
fn results_say_what_they_are() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 1, 128);
    let ended = run(terzetto().arg("piv").arg(&images).args(["--window", "16"]));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    let file = folder.join("series.piv").join("piv_couple_0001a-b.csv");
    let field = parse_csv(&fs::read_to_string(file).expect("a table")).expect("well formed");
    let header = |name: &str| {
        let found = field.header.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    assert_eq!(header("window"), "16 px");
    assert!(header("image 0").ends_with("couple_0001a.png"));
    assert!(header("dx, dy").ends_with("px"));
    assert!(field.rows.len() > 100, "{}", field.rows.len());
}

#[test]
fn a_truncated_image_costs_its_couples_only() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 4, 128);
    let broken = images.join("couple_0002b.png");
    let bytes = fs::read(&broken).expect("an image");
    fs::write(&broken, &bytes[..bytes.len() / 2]).expect("the test's own folder");
    for (rule, done, failed) in [("pairs", 3, 1), ("consecutive", 5, 2)] {
        let out = folder.join(rule);
        let ended = run(terzetto().arg("piv").arg(&images).arg("--out").arg(&out).args([
            "--couples",
            rule,
            "--queue-max",
            "1",
            "--no-plots",
        ]));
        assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
        assert!(ended.err.contains("couple_0002b.png"), "{}", ended.err);
        let summary = format!("{done} of {} couples done, {failed} failed", done + failed);
        assert!(ended.out.contains(&summary), "{summary} in\n{}", ended.out);
        assert_eq!(names(&out, ".csv").len(), done);
        let log = fs::read_to_string(jobs(&out)[0].join("log.txt")).expect("a log");
        assert!(log.contains("couple_0002b.png") && log.contains(&summary), "{log}");
    }
}

#[test]
fn stop_if_error_stops() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 12, 128);
    fs::write(images.join("couple_0001a.png"), "no image").expect("the test's own folder");
    let ended = run(terzetto().arg("piv").arg(&images).args([
        "--stop-if-error",
        "--workers",
        "1",
        "--queue-max",
        "1",
    ]));
    assert_eq!(ended.status, Some(1));
    assert!(ended.out.contains("ended by an error"), "{}", ended.out);
    assert!(ended.err.contains("couple_0001a.png"), "{}", ended.err);
    assert!(names(&folder.join("series.piv"), ".csv").len() < 6);
}

#[test]
fn images_of_two_sizes_cost_their_couple_only() {
    let folder = Folder::new();
    let (images, larger) = (folder.join("series"), folder.join("larger"));
    synth(&images, 3, 128);
    synth(&larger, 2, 160);
    let name = "couple_0002b.png";
    fs::copy(larger.join(name), images.join(name)).expect("the test's own folders");
    let ended = run(terzetto().arg("piv").arg(&images));
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
    for text in ["couple_0002a.png` has 128 x 128", "couple_0002b.png` has 160 x 160"] {
        assert!(ended.err.contains(text), "{text} in\n{}", ended.err);
    }
    assert!(ended.out.contains("2 of 3 couples done, 1 failed"), "{}", ended.out);
}

#[test]
fn an_image_without_partner_is_told() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 3, 64);
    fs::remove_file(images.join("couple_0002a.png")).expect("the test's own folder");
    let ended = run(terzetto().arg("piv").arg(&images));
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("couple_0002b.png"), "{}", ended.err);
    assert!(ended.out.contains("2 of 2 couples done"), "{}", ended.out);
}

#[test]
fn what_cannot_run_says_why() {
    let folder = Folder::new();
    let (images, empty, file) = (folder.join("series"), folder.join("empty"), folder.join("file"));
    synth(&images, 1, 64);
    fs::create_dir(&empty).expect("the test's own folder");
    fs::write(&file, "in the way").expect("the test's own folder");
    let cases: [(&[&dyn AsRef<std::ffi::OsStr>], &str); 9] = [
        (&[&"piv", &folder.join("missing")], "missing"),
        (&[&"piv", &empty], "holds no image"),
        (&[&"piv", &images, &"--out", &file], "file"),
        (&[&"piv", &images, &"--out", &file.join("below")], "below"),
        (&[&"piv", &images, &"--out", &images], "results cannot go into the images' folder"),
        (&[&"piv", &images, &"--window", &"0"], "window"),
        (&[&"piv", &images, &"--workers", &"0"], "--workers"),
        (&[&"synth", &file], "file"),
        (&[&"topology", &"piv", &"--graph", &file.join("a.svg")], "a.svg`: Not a directory"),
    ];
    for (args, text) in cases {
        let mut command = terzetto();
        for arg in args {
            command.arg(arg);
        }
        let ended = run(&mut command);
        assert_eq!(ended.status, Some(2), "{text}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains("error: ") && ended.err.contains(text), "{text}: {}", ended.err);
    }
}

#[test]
fn results_may_have_names_as_long_as_files_can() {
    let folder = Folder::new();
    let (made, images) = (folder.join("made"), folder.join("series"));
    synth(&made, 1, 64);
    fs::create_dir(&images).expect("the test's own folder");
    let long = "n".repeat(240);
    for (letter, name) in ["a", "b"].into_iter().zip(names(&made, ".png")) {
        fs::copy(made.join(name), images.join(format!("{long}_{letter}.png")))
            .expect("the test's own folder");
    }
    let ended = run(terzetto().arg("piv").arg(&images).args(["--window", "16"]));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(half_written(&folder.join("series.piv")), Vec::<String>::new());
}

/// Left out, it would make a couple of images that are no neighbours.
#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_an_image_that_cannot_be_read() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 2, 64);
    let lost = images.join("couple_0001b.png");
    fs::remove_file(&lost).expect("the test's own folder");
    std::os::unix::fs::symlink("nowhere.png", &lost).expect("the test's own folder");
    let ended = run(terzetto().arg("piv").arg(&images).args(["--couples", "consecutive", "--window", "16"]));
    assert!(ended.out.contains("1 of 3 couples done, 2 failed"), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("couple_0001b.png: No such file"), "{}", ended.err);
}

/// On Unix, names are bytes. Those that are no text must not become one name.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_stay_apart() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let folder = Folder::new();
    let made = folder.join("made");
    synth(&made, 2, 64);
    let series = folder.0.join(OsStr::from_bytes(b"s\xfe"));
    fs::create_dir(&series).expect("the test's own folder");
    let images = names(&made, ".png").into_iter();
    for (name, number) in images.zip(*b"\xfc\xfd\xfe\xff") {
        let new = [b"im".as_slice(), &[number], b".png"].concat();
        fs::copy(made.join(name), series.join(OsStr::from_bytes(&new))).expect("the test's own folder");
    }
    let out = folder.join("out");
    let args = ["--couples", "pairs", "--window", "16", "--no-plots"];
    let ended = run(terzetto().arg("piv").arg(&series).arg("--out").arg(&out).args(args));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let reference = folder.join("reference");
    let expected = run(terzetto().arg("piv").arg(&made).arg("--out").arg(&reference).args(args));
    assert_eq!(expected.status, Some(0), "{}{}", expected.out, expected.err);
    assert_eq!(names(&out, ".csv"), ["piv_im%FC-D.csv", "piv_im%FE-F.csv"]);
    let field = |(_, text): (String, String)| parse_csv(&text).expect("sound").rows;
    let numbers = |folder: &Path| format!("{:?}", tables(folder).into_iter().map(field).collect::<Vec<_>>());
    assert_eq!(numbers(&out), numbers(&reference));
}

#[test]
fn complete_computes_what_is_missing() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 3, 64);
    let piv = || run(terzetto().arg("piv").arg(&images).args(["--complete", "--no-plots"]));
    assert!(piv().out.contains("3 of 3 couples done"));
    let out = folder.join("series.piv");
    fs::remove_file(out.join("piv_couple_0002a-b.csv")).expect("a result");
    // As a killed run leaves it; no process has this number.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
    let leftover = out.join(format!(".piv_couple_0002a-b.csv.{host}-4294967295-0.part"));
    fs::write(&leftover, "half").expect("the test's own folder");
    let ended = piv();
    assert!(ended.out.contains("1 of 1 couples done"), "{}", ended.out);
    assert_eq!(names(&out, ".csv").len(), 3);
    assert!(!leftover.exists(), "the leftover is removed");
}

/// Starts a long run, sends it a signal once it has some results, and returns how it ended.
#[cfg(unix)]
fn signalled(signal: &str, pairs: usize) -> (Folder, PathBuf, Ended) {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, pairs, 256);
    let out = folder.join("out");
    let child = terzetto()
        .arg("piv")
        .arg(&images)
        .arg("--out")
        .arg(&out)
        .args(["--workers", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let patience = Instant::now();
    while !out.is_dir() || names(&out, ".csv").len() < 3 {
        assert!(patience.elapsed() < Duration::from_secs(60), "no results");
        thread::sleep(Duration::from_millis(2));
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("`kill` exists").success());
    let ended = child.wait_with_output().expect("the program ends").into();
    (folder, out, ended)
}

#[cfg(unix)]
fn check_early_end(out: &Path, ended: &Ended, word: &str, pairs: usize) {
    let line = ended.out.lines().find(|line| line.contains(" couples done")).expect("a summary");
    let done: usize = line
        .strip_prefix(word)
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|count| count.parse().ok())
        .unwrap_or_else(|| panic!("`{line}` begins with `{word}` and a number"));
    let tables = names(out, ".csv");
    assert_eq!(tables.len(), done, "what is counted is there, and nothing else");
    assert!((3..pairs).contains(&done), "{done}");
    for table in tables {
        let text = fs::read_to_string(out.join(&table)).expect("a table");
        let field = parse_csv(&text).unwrap_or_else(|error| panic!("{table}: {error}"));
        assert!(!field.rows.is_empty());
        let picture = out.join(table.replace(".csv", ".png"));
        assert!(picture.is_file(), "{}", picture.display());
    }
    assert_eq!(half_written(out), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_cleanly() {
    let (_folder, out, ended) = signalled("-INT", 60);
    assert_eq!(ended.status, Some(130), "{}{}", ended.out, ended.err);
    check_early_end(&out, &ended, "interrupted: ", 60);
}

#[cfg(unix)]
#[test]
fn sigusr2_lets_running_work_finish() {
    let (_folder, out, ended) = signalled("-USR2", 60);
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
    check_early_end(&out, &ended, "stopped: ", 60);
}

#[test]
fn results_that_are_there_are_not_touched_unasked() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 2, 64);
    let piv = |mode: &[&str]| run(terzetto().arg("piv").arg(&images).arg("--no-plots").args(mode));
    assert_eq!(piv(&[]).status, Some(0));
    // Nobody can be asked: the standard input is no terminal.
    let ended = piv(&[]);
    assert_eq!(ended.status, Some(2), "{}", ended.out);
    assert!(ended.err.contains("is not empty: say --saving"), "{}", ended.err);
    let out = folder.join("series.piv");
    assert_eq!(jobs(&out).len(), 1);
    assert!(piv(&["--saving", "recompute"]).out.contains("2 of 2 couples done"));
    assert_eq!(piv(&["--saving", "complete"]).status, Some(0));
    assert_eq!(jobs(&out).len(), 3);
    assert_eq!(piv(&["--saving", "new-dir"]).status, Some(0));
    assert_eq!(names(&folder.join("series.piv_1"), ".csv").len(), 2);
}

#[test]
fn the_job_folder_tells_what_was_run_and_the_monitor_shows_it() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 3, 64);
    let broken = images.join("couple_0002b.png");
    fs::write(&broken, "no image").expect("the test's own folder");
    let ended = run(terzetto().arg("piv").arg(&images).args(["--no-plots", "--log-level", "debug"]));
    assert_eq!(ended.status, Some(1), "{}", ended.err);
    let out = folder.join("series.piv");
    let job = &jobs(&out)[0];
    let read =
        |name: &str| fs::read_to_string(job.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    for (file, texts) in [
        ("params.toml", &["window = 32", "overlap = 0.5"][..]),
        ("info.toml", &["topology = \"piv\"", "executor = \"async\"", "expected_results = 3"]),
        ("results.txt", &["done\tcouple_0001a-b\n", "failed\tcouple_0002a-b\n"]),
        ("time_end.txt", &["ending = \"finished\""]),
        ("log.txt", &["couple_0001a-b`: compute took", "MB in use", "2 of 3 couples done"]),
    ] {
        let content = read(file);
        for text in texts {
            assert!(content.contains(text), "{text} in {file}:\n{content}");
        }
    }
    assert!(!job.join("is_running.lock").exists());
    let errors = names(&job.join("errors"), ".txt");
    assert_eq!(errors, ["exception_read_image_couple_0002b.png.txt"]);
    let error = read(&format!("errors/{}", errors[0]));
    assert!(error.contains("item: ") && error.contains("couple_0002b.png"), "{error}");

    let shown = run(terzetto().arg("monitor").arg(&out)).out;
    for text in ["piv (async): finished", "3/3, 1 failed"] {
        assert!(shown.contains(text), "{text} in\n{shown}");
    }
    assert_eq!(run(terzetto().arg("monitor").arg(folder.join("missing"))).status, Some(2));
}

#[test]
fn a_folder_in_use_is_refused_and_a_dead_process_is_not_in_the_way() {
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 60, 256);
    let start = || {
        let mut command = terzetto();
        command.arg("piv").arg(&images).arg("--out").arg(&out).args([
            "--complete",
            "--workers",
            "1",
            "--no-plots",
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut child = start().spawn().expect("the program starts");
    let patience = Instant::now();
    while !out.is_dir() || names(&out, ".csv").is_empty() {
        assert!(patience.elapsed() < Duration::from_secs(60), "no results");
        thread::sleep(Duration::from_millis(2));
    }
    let second = run(start().stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(second.status, Some(2), "{}{}", second.out, second.err);
    assert!(second.err.contains(&format!("process {}", child.id())), "{}", second.err);
    let shown = run(terzetto().arg("monitor").arg(&out)).out;
    assert!(shown.contains(&format!("running, process {}", child.id())), "{shown}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(jobs(&out)[0].join("is_running.lock").exists(), "a killed process leaves its lock");
    assert!(run(terzetto().arg("monitor").arg(&out)).out.contains(": killed"));
    // A part is enough to see that it begins.
    assert_eq!(run(start().args(["--shard", "1/30"])).status, Some(0));
}

#[test]
fn log_levels_by_flag_and_by_environment() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 1, 64);
    let log = |level: Option<&str>, variable: Option<&str>| {
        let mut command = terzetto();
        let out = Folder::new();
        command.arg("piv").arg(&images).arg("--out").arg(&out.0).arg("--no-plots");
        command.args(level.iter().flat_map(|level| ["--log-level", level]));
        command.envs(variable.iter().map(|value| ("TERZETTO_LOG", value)));
        assert_eq!(run(&mut command).status, Some(0));
        fs::read_to_string(jobs(&out.0)[0].join("log.txt")).unwrap_or_default()
    };
    assert!(log(None, None).contains("compute took"));
    assert!(!log(None, None).contains("compute starts"));
    assert!(log(None, Some("debug")).contains("compute starts"));
    assert!(!log(Some("warn"), Some("debug")).contains("compute"));
    assert_eq!(log(Some("off"), None), "");
}

#[test]
fn log_03_rust_log_filters_the_terminal_and_log_filter_the_file_by_module() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 1, 64);
    let logged = |filter: &[&str], variable: Option<&str>| {
        let mut command = terzetto();
        let out = Folder::new();
        command.arg("piv").arg(&images).arg("--out").arg(&out.0).arg("--no-plots").args(filter);
        command.envs(variable.iter().map(|value| ("RUST_LOG", value)));
        let ended = run(&mut command);
        assert_eq!(ended.status, Some(0), "{}", ended.err);
        (ended.err, fs::read_to_string(jobs(&out.0)[0].join("log.txt")).unwrap_or_default())
    };
    // By default nothing of a good run goes to the terminal.
    let (terminal, file) = logged(&[], None);
    assert!(!terminal.contains("info:") && file.contains("INFO  2 images, 1 couple"), "{terminal}{file}");
    let (terminal, file) = logged(&[], Some("info"));
    assert!(
        terminal.contains("info: 2 images, 1 couple") && file.contains("2 images, 1 couple"),
        "{terminal}"
    );
    assert!(!terminal.contains('\u{1b}'), "colours are for terminals: {terminal}");
    let (terminal, _) = logged(&[], Some("info,terzetto::commands=off"));
    assert!(!terminal.contains("2 images, 1 couple"), "{terminal}");
    let (_, file) = logged(&["--log-filter", "terzetto::commands=off"], None);
    assert!(!file.contains("2 images, 1 couple") && file.contains("compute took"), "{file}");
    let (_, file) = logged(&["--log-level", "error", "--log-filter", "terzetto::commands=info"], None);
    assert!(file.contains("2 images, 1 couple") && !file.contains("compute took"), "{file}");
}

#[test]
fn topologies_are_listed_and_drawn() {
    let folder = Folder::new();
    let topology = |args: &[&str]| run(terzetto().arg("topology").args(args));
    let listed = topology(&[]);
    assert!(listed.out.contains("piv") && listed.out.contains("synth"), "{}", listed.out);
    assert!(topology(&["piv"]).out.contains("read image"));
    assert!(topology(&["piv", "--graph"]).out.starts_with("digraph \"piv\" {"));
    let svg = folder.join("piv.svg");
    assert_eq!(topology(&["piv", "--graph", &svg.display().to_string()]).status, Some(0));
    let picture = fs::read_to_string(svg).expect("a picture");
    assert!(picture.starts_with("<svg ") && picture.contains(">make couples</text>"), "{picture}");
    assert_eq!(topology(&["pvi"]).status, Some(2));
    assert_eq!(topology(&["piv", "--graph", "piv.jpg"]).status, Some(2));
}

#[test]
fn real_series() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/images");
    if !shared.is_dir() {
        println!("skipped: no {}", shared.display());
        return;
    }
    for (series, couples) in [("karman", 3), ("oseen", 1), ("jet", 1)] {
        let folder = Folder::new();
        let start = Instant::now();
        let ended = run(terzetto().arg("piv").arg(shared.join(series)).arg("--out").arg(&folder.0));
        assert_eq!(ended.status, Some(0), "{series}: {}{}", ended.out, ended.err);
        let tables = names(&folder.0, ".csv");
        assert_eq!(tables.len(), couples, "{series}: {tables:?}");
        for table in tables {
            let text = fs::read_to_string(folder.join(&table)).expect("a table");
            let rows = parse_csv(&text).expect("well formed").rows;
            let valid = rows.iter().filter(|row| row.is_valid()).count();
            let share = valid as f64 / rows.len() as f64;
            println!(
                "{table}: {:.1} % of {} vectors valid, {:?}",
                100.0 * share,
                rows.len(),
                start.elapsed()
            );
            assert!(share > 0.7, "{table}: {share}");
        }
    }
}
