//! The program as its users meet it: the built binary, its files, its exit status.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use terzetto_executor::results::parse_csv;

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("terzetto-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the system's folder for temporary files can be written to");
        Folder(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn terzetto() -> Command {
    Command::new(env!("CARGO_BIN_EXE_terzetto"))
}

struct Ended {
    status: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Ended {
        Ended {
            status: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn run(command: &mut Command) -> Ended {
    command.output().expect("the program starts").into()
}

/// A series of small synthetic couples in `folder`.
fn synth(folder: &Path, pairs: usize, size: usize) {
    let ended = run(terzetto().arg("synth").arg(folder).args([
        "--pairs",
        &pairs.to_string(),
        "--size",
        &size.to_string(),
        "--quiet",
    ]));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
}

fn names(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder of results");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(ending))
        .collect();
    names.sort();
    names
}

fn half_written(folder: &Path) -> Vec<String> {
    names(folder, ".part")
}

#[test]
fn without_arguments_it_explains_itself() {
    let ended = run(&mut terzetto());
    assert_eq!(ended.status, Some(0));
    for word in ["Usage: terzetto", "piv", "synth", "demo", "Exit status"] {
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
        assert_eq!(names(&results, ".txt").len(), 1, "one log");
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
        let log = &names(&out, ".txt")[0];
        let log = fs::read_to_string(out.join(log)).expect("a log");
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
    let cases: [(&[&dyn AsRef<std::ffi::OsStr>], &str); 8] = [
        (&[&"piv", &folder.join("missing")], "missing"),
        (&[&"piv", &empty], "holds no image"),
        (&[&"piv", &images, &"--out", &file], "file"),
        (&[&"piv", &images, &"--out", &file.join("below")], "below"),
        (&[&"piv", &images, &"--out", &images], "results cannot go into the images' folder"),
        (&[&"piv", &images, &"--window", &"0"], "window"),
        (&[&"piv", &images, &"--workers", &"0"], "--workers"),
        (&[&"synth", &file], "file"),
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
fn complete_computes_what_is_missing() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 3, 64);
    let piv = || run(terzetto().arg("piv").arg(&images).args(["--complete", "--no-plots"]));
    assert!(piv().out.contains("3 of 3 couples done"));
    let out = folder.join("series.piv");
    fs::remove_file(out.join("piv_couple_0002a-b.csv")).expect("a result");
    // As a killed run leaves it; no process has this number.
    let leftover = out.join(".piv_couple_0002a-b.csv.4294967295-0.part");
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
