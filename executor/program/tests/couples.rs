//! Which images make couples: by number and role, never by position alone; and what is said before a run starts.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use terzetto_program::series::{
    CoupleRule, Couples, CouplesError, list_images, make_couples, natural_order, read_couples,
};

use common::{Ended, Folder, jobs, names, run, synth, terzetto};

/// The couples of files with these names and the ending `.png`, in the order in which a folder lists them.
fn made(names: &[&str], rule: CoupleRule) -> Result<Couples, CouplesError> {
    let mut images: Vec<PathBuf> = names.iter().map(|name| format!("{name}.png").into()).collect();
    images.sort_by(|a, b| natural_order(&a.to_string_lossy(), &b.to_string_lossy()));
    make_couples(&images, rule)
}

/// The couples' names, and the names of the images that are left over.
fn of(names: &[&str], rule: CoupleRule) -> (Vec<String>, Vec<String>) {
    let made = made(names, rule).unwrap_or_else(|error| panic!("{names:?}: {error}"));
    let single = made.single.iter().map(|left| left.image.display().to_string()).collect();
    (made.couples.iter().map(|couple| couple.name.to_string()).collect(), single)
}

fn refused(names: &[&str], rule: CoupleRule) -> String {
    match made(names, rule) {
        Ok(made) => panic!("{names:?}: {:?}", made.couples),
        Err(error) => error.to_string(),
    }
}

fn notes(names: &[&str], rule: CoupleRule) -> String {
    made(names, rule).map(|made| made.notes.join("\n")).unwrap_or_default()
}

fn both(couples: &[&str], left: &[&str]) -> (Vec<String>, Vec<String>) {
    let texts = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect();
    (texts(couples), texts(left))
}

use CoupleRule::{Apart, Auto, Consecutive, Letters, Order, Pairs};

#[test]
fn couples_go_by_number_and_a_gap_is_told() {
    let names = ["img1", "img2", "img9", "img10", "img11"];
    assert_eq!(of(&names, Auto), both(&["img1-2", "img9-10", "img10-11"], &[]));
    assert_eq!(of(&names, Pairs), both(&["img1-2", "img9-10"], &["img11.png"]));
    assert_eq!(
        notes(&names, Auto),
        "a gap in the numbers from 2 to 9: `img2.png` and `img9.png` make no couple"
    );
    assert!(notes(&names, Pairs).contains("from 2 to 9"));
}

#[test]
fn pairs_and_consecutive_couples_with_gaps() {
    let names = ["im001", "im002", "im005", "im006", "im010"];
    assert_eq!(of(&names, Pairs), both(&["im001-002", "im005-006"], &["im010.png"]));
    assert_eq!(of(&names, Consecutive), both(&["im001-002", "im005-006"], &["im010.png"]));
    let notes = notes(&names, Consecutive);
    assert!(notes.contains("from 2 to 5") && notes.contains("from 6 to 10"), "{notes}");
    let why = &made(&names, Consecutive).expect("couples").single[0].why;
    assert_eq!(why, "there is no image 9 and no image 11");
    assert_eq!(made(&names, Pairs).expect("couples").single[0].why, "there is no image 9");
}

#[test]
fn one_number_in_two_kinds_of_files_is_refused() {
    let images = ["im1.png", "im1.tif", "im2.png", "im2.tif"].map(PathBuf::from);
    for rule in [Auto, Consecutive, Pairs, Apart(1)] {
        let error = make_couples(&images, rule).expect_err("ambiguous").to_string();
        assert!(error.contains("two files with number 1: `im1.png` and `im1.tif`"), "{rule}: {error}");
        assert!(error.contains("pattern") && error.contains("--couples-file"), "{error}");
    }
    let images = ["1a.png", "1a.tif", "1b.png", "1b.tif"].map(PathBuf::from);
    let error = make_couples(&images, Auto).expect_err("ambiguous").to_string();
    assert!(error.contains("two files for one place in a couple: `1a.png` and `1a.tif`"), "{error}");
}

#[test]
fn letters_with_underscores() {
    let names = ["P_1_A", "P_1_B", "P_2_A", "P_2_B", "P_3_A"];
    for rule in [Auto, Pairs, Letters] {
        assert_eq!(of(&names, rule), both(&["P_1_A-B", "P_2_A-B"], &["P_3_A.png"]));
    }
    let why = &made(&names, Auto).expect("couples").single[0].why;
    assert_eq!(why, "there is no second image (b) of this name");
}

#[test]
fn lasers_a_and_b() {
    let names = ["B00001_LA", "B00001_LB", "B00002_LA", "B00002_LB"];
    assert_eq!(of(&names, Auto), both(&["B00001_LA-B", "B00002_LA-B"], &[]));
}

#[test]
fn lasers_behind_other_fields() {
    let name = |number: &str, laser: &str| format!("run3_{number}.T000.D000.P000.H000.{laser}");
    let names = ["000000", "000001"].map(|number| [name(number, "LA"), name(number, "LB")]).concat();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted = ["run3_000000.T000.D000.P000.H000.LA-B", "run3_000001.T000.D000.P000.H000.LA-B"];
    assert_eq!(of(&names, Auto), both(&wanted, &[]));
}

#[test]
fn roles_at_the_start() {
    let names = ["a_0001", "a_0002", "b_0001", "b_0002"];
    assert_eq!(of(&names, Auto), both(&["a_0001-b_0001", "a_0002-b_0002"], &[]));
    let made = made(&["a_0001", "a_0002", "b_0002"], Auto).expect("couples");
    assert_eq!(made.couples[0].images, ["a_0002.png", "b_0002.png"].map(PathBuf::from));
    assert_eq!(made.single[0].image, PathBuf::from("a_0001.png"));
}

#[test]
fn partners_with_other_numbers_are_refused_with_a_hint() {
    let error = refused(&["Pattern_0001_A", "Pattern_1001_B"], Auto);
    assert!(error.contains("make no couple by the rule ab"), "{error}");
    assert!(error.contains("list the couples in a file (--couples-file)"), "{error}");
}

#[test]
fn a_number_at_the_start_of_all_names() {
    let names = ["2image_00", "2image_01", "2image_10", "2image_11"];
    for rule in [Auto, Pairs] {
        assert_eq!(of(&names, rule), both(&["2image_00-01", "2image_10-11"], &[]));
        assert!(notes(&names, rule).contains("from 1 to 10"));
    }
}

#[test]
fn fractions_of_different_lengths_are_refused() {
    let error = refused(&["im_0.1s", "im_0.2s", "im_0.10s"], Auto);
    assert!(error.contains("which is the number in `im_0.1s.png` and `im_0.10s.png`?"), "{error}");
    // With the same lengths, the order is that of the numbers either way.
    assert_eq!(of(&["im_0.01s", "im_0.02s"], Auto), both(&["im_0.01s-02s"], &[]));
}

#[test]
fn upper_and_lower_case_do_not_break_the_order() {
    let folder = Folder::new();
    for name in ["IM1.PNG", "im2.png", "Im3.Png"] {
        fs::write(folder.join(name), "").expect("the test's own folder");
    }
    let images = list_images(&folder.0).expect("images");
    let listed: Vec<_> = images.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    assert_eq!(listed, ["IM1.PNG", "im2.png", "Im3.Png"]);
    let made = make_couples(&images, Auto).expect("couples");
    let names: Vec<&str> = made.couples.iter().map(|couple| couple.name.as_str()).collect();
    assert_eq!(names, ["IM1-im2", "im2-Im3"]);
    assert_eq!(of(&["p_1_A", "P_1_b"], Auto), both(&["p_1_A-P_1_b"], &[]));
}

#[test]
fn one_number_written_in_two_ways_is_refused() {
    let error = refused(&["001", "002", "1", "2"], Auto);
    assert!(error.contains("two files with number 1: `001.png` and `1.png`"), "{error}");
}

#[test]
fn a_missing_image_shifts_no_pair() {
    let names = ["1", "2", "3", "5", "6", "7", "8"];
    assert_eq!(of(&names, Pairs), both(&["1-2", "5-6", "7-8"], &["3.png"]));
    assert_eq!(made(&names, Pairs).expect("couples").single[0].why, "there is no image 4");
    // Where the first image lacks it shows by what makes more couples, or it is asked.
    assert_eq!(of(&["11", "12", "13", "14", "16"], Pairs), both(&["11-12", "13-14"], &["16.png"]));
    let error = refused(&["12", "13", "14", "15", "16"], Pairs);
    assert!(
        error.contains("is `12.png` the first image of a couple") && error.contains("--range 12: or 13:"),
        "{error}"
    );
}

#[test]
fn steps_in_the_numbers() {
    assert_eq!(of(&["10", "20", "30", "50"], Auto), both(&["10-20", "20-30"], &["50.png"]));
    assert!(notes(&["10", "20", "30", "50"], Auto).starts_with("the numbers go up by 10"));
    assert_eq!(of(&["10", "20", "30", "40"], Pairs), both(&["10-20", "30-40"], &[]));
    // Times count nothing.
    let error = refused(&["t1000", "t1033", "t1067", "t1100"], Auto);
    assert!(error.contains("do not count images") && error.contains("--couples order"), "{error}");
    assert_eq!(of(&["t1000", "t1033", "t1067"], Order), both(&["t1000-1033", "t1033-1067"], &[]));
}

#[test]
fn series_in_one_folder_stay_apart() {
    let names = ["calib_0", "im_1", "im_2", "mask"];
    assert_eq!(of(&names, Auto), both(&["im_1-2"], &["mask.png", "calib_0.png"]));
    let names = ["left_1", "left_2", "right_1", "right_2"];
    assert_eq!(of(&names, Auto), both(&["left_1-2", "right_1-2"], &[]));
    assert!(notes(&names, Auto).contains("of 2 series"), "{}", notes(&names, Auto));
    let names = ["run1_1", "run1_2", "run2_1", "run2_2"];
    assert_eq!(of(&names, Auto), both(&["run1_1-2", "run2_1-2"], &[]));
    // A time that grows with the number is no other series.
    assert_eq!(of(&["t0033_1", "t0067_2"], Auto), both(&["t0033_1-0067_2"], &[]));
}

#[test]
fn letters_count_where_there_are_both() {
    assert_eq!(of(&["1a", "2a", "3a"], Auto), both(&["1a-2a", "2a-3a"], &[]));
    assert_eq!(of(&["1a", "1b", "dark"], Auto), both(&["1a-b"], &["dark.png"]));
    assert_eq!(of(&["1a", "1b", "2a", "2b"], Consecutive), both(&["1a-b", "1b-2a", "2a-b"], &[]));
    assert!(notes(&["1a", "1b", "2b"], Consecutive).contains("from 1b to 2b"));
    assert!(refused(&["1", "2"], Letters).contains("by the rule ab"));
}

#[test]
fn names_without_numbers_go_by_their_order_and_it_is_told() {
    assert_eq!(of(&["after", "before"], Auto), both(&["after-before"], &[]));
    assert!(notes(&["after", "before"], Auto).contains("have no numbers"));
    assert_eq!(of(&["x", "y", "z"], Pairs), both(&["x-y"], &["z.png"]));
    // An image is not coupled with itself in another file.
    for (names, rule) in [(["x.png", "x.tif", "y.png"], Auto), (["im1.png", "im1.tif", "im2.png"], Order)] {
        let error = make_couples(&names.map(PathBuf::from), rule).expect_err("ambiguous").to_string();
        assert!(error.contains("two files of one name: "), "{error}");
    }
}

#[test]
fn numbers_apart() {
    let names = ["im1", "im2", "im3", "im5", "im6", "mask"];
    assert_eq!(of(&names, Apart(1)), both(&["im1-2", "im2-3", "im5-6"], &["mask.png"]));
    assert_eq!(of(&names, Apart(2)), both(&["im1-3", "im3-5"], &["mask.png", "im2.png", "im6.png"]));
}

#[test]
fn long_numbers_and_none() {
    let (a, b) = ("20240131120000123456", "20240131120000123457");
    assert_eq!(of(&[a, b], Auto), both(&[&format!("{a}-{b}")], &[]));
    assert!(refused(&["im1"], Auto).contains("no other image is called like it"));
}

// The program.

fn piv(args: &[&str]) -> Ended {
    run(terzetto().arg("piv").args(args).args(["--no-plots", "--format", "csv", "--window", "16"]))
}

/// A series of images with these names.
fn series(folder: &Folder, files: &[&str]) -> PathBuf {
    let (made, series) = (folder.join("made"), folder.join("series"));
    synth(&made, files.len().div_ceil(2), 48);
    fs::create_dir(&series).expect("the test's own folder");
    for (name, file) in names(&made, ".png").iter().zip(files) {
        fs::copy(made.join(name), series.join(file)).expect("a copy");
    }
    series
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn the_plan_is_told_before_the_run() {
    let folder = Folder::new();
    let series = series(&folder, &["1.png", "2.png", "3.png", "5.png", "6.png", "7.png", "8.png"]);
    let ended = piv(&[&text(&series), "--couples", "pairs"]);
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
    let plan = ended.out.find("7 images, 3 couples (pairs), 1 left over\ncouples: 1-2, 5-6, 7-8\n");
    assert!(plan < ended.out.find("3 of 3 couples done") && plan.is_some(), "{}", ended.out);
    for said in ["3.png` is left over: there is no image 4", "a gap in the numbers from 3 to 5"] {
        assert!(ended.err.contains(said), "{said} in\n{}", ended.err);
        let log = fs::read_to_string(jobs(&folder.join("series.piv"))[0].join("log.txt")).expect("a log");
        assert!(log.contains(said), "{said} in\n{log}");
    }
    // Several processes say it once.
    let out = text(&folder.join("out"));
    let ended = piv(&[&text(&series), "--couples", "pairs", "--executor", "multi", "--out", &out]);
    assert_eq!(ended.err.matches("is left over").count(), 1, "{}", ended.err);
}

#[test]
fn the_program_refuses_what_is_ambiguous() {
    let folder = Folder::new();
    let series = series(&folder, &["im1.png", "im2.png", "im1.tif", "im2.tif"]);
    let ended = piv(&[&text(&series)]);
    assert_eq!(ended.status, Some(2), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("two files with number 1"), "{}", ended.err);
    assert!(!folder.join("series.piv").exists(), "nothing is written");
    let ended = piv(&[&text(&series.join("*.png"))]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
}

#[test]
fn a_list_of_couples_in_a_file() {
    let folder = Folder::new();
    let files =
        ["Pattern_0001_A.png", "Pattern_1001_B.png", "Pattern_0002_A.png", "Pattern_1002_B.png", "dark.png"];
    let series = series(&folder, &files);
    let list = folder.join("list.txt");
    let lines =
        "# first second\nPattern_0001_A.png Pattern_1001_B.png\n\nPattern_0002_A.png,\tPattern_1002_B.png\n";
    fs::write(&list, lines.replace(",\t", ", ")).expect("the test's own folder");
    let wanted = ["piv_Pattern_0001_A-1001_B.csv", "piv_Pattern_0002_A-1002_B.csv"];
    for executor in ["async", "multi"] {
        let out = folder.join(executor);
        let args =
            [&*text(&series), "--couples-file", &text(&list), "--out", &text(&out), "--executor", executor];
        let ended = piv(&args);
        assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("2 couples (list)"), "{}", ended.out);
        assert!(ended.err.contains("1 images of the folder are in no listed couple"), "{}", ended.err);
        assert_eq!(names(&out, ".csv"), wanted);
    }
    // Without a folder, names are relative to the file.
    let inside = series.join("list.txt");
    fs::copy(&list, &inside).expect("a copy");
    let ended = piv(&["--couples-file", &text(&inside)]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(names(&folder.join("series.piv"), ".csv"), wanted);
    // The parameters of the job make the same again.
    let job = jobs(&folder.join("series.piv"))[0].join("params.toml");
    let ended = piv(&["--params", &text(&job), "--complete"]);
    assert!(
        ended.status == Some(0) && ended.out.contains("2 of them done before"),
        "{}{}",
        ended.out,
        ended.err
    );
    assert_eq!(piv(&["--couples-file", &text(&inside), "--range", "1:"]).status, Some(2));
}

#[test]
fn mistakes_in_a_list_are_told_with_their_line() {
    let folder = Folder::new();
    for name in ["a.png", "b.png", "c.png"] {
        fs::write(folder.join(name), "").expect("the test's own folder");
    }
    let list = folder.join("list.txt");
    for (lines, message) in [
        ("a.png b.png c.png", "list.txt, line 1: 3 names, must be two"),
        ("a.png b.png\nb.png", "list.txt, line 2: 1 names, must be two"),
        ("# x\n\na.png none.png", "none.png` is no file"),
        ("a.png a.png", "line 1: `a.png` with itself is no couple"),
        ("a.png b.png\na.png\tb.png", "line 2: the same couple as in line 1"),
        ("# nothing\n", "list.txt: lists no couple"),
    ] {
        fs::write(&list, lines).expect("the test's own folder");
        let error = read_couples(&list, &folder.0).expect_err(lines).to_string();
        assert!(error.contains(message), "{message} in {error}");
    }
    assert!(read_couples(&folder.join("none"), &folder.0).is_err());
}

#[test]
fn listed_couples_from_several_folders_have_names_of_their_own() {
    let folder = Folder::new();
    for part in ["cam1", "cam2"] {
        fs::create_dir(folder.join(part)).expect("the test's own folder");
        for name in ["im1.png", "im2.png", "with space.png"] {
            fs::write(folder.join(part).join(name), "").expect("the test's own folder");
        }
    }
    let list = folder.join("list.txt");
    fs::write(
        &list,
        "cam1/im1.png cam1/im2.png\ncam2/im1.png cam2/im2.png\ncam1/with space.png, cam2/im1.png",
    )
    .expect("the test's own folder");
    let couples = read_couples(&list, &folder.0).expect("couples");
    let names: Vec<&str> = couples.iter().map(|couple| couple.name.as_str()).collect();
    let wanted =
        ["cam1_im1.png-cam1_im2.png", "cam2_im1.png-cam2_im2.png", "cam1_with space.png-cam2_im1.png"];
    assert_eq!(names, wanted);
}

#[test]
fn two_images_on_the_command_line() {
    let folder = Folder::new();
    let series = series(&folder, &["Pattern_0001_A.png", "Pattern_1001_B.png", "other.png"]);
    let [first, second] = ["Pattern_0001_A.png", "Pattern_1001_B.png"].map(|name| text(&series.join(name)));
    for (executor, out) in [("async", "one"), ("multi", "several")] {
        let out = folder.join(out);
        let ended = piv(&[&first, &second, "--out", &text(&out), "--executor", executor]);
        assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("2 images, 1 couple (two images)"), "{}", ended.out);
        assert_eq!(names(&out, ".csv"), ["piv_Pattern_0001_A-1001_B.csv"]);
    }
    let ended = piv(&[&first, &second, "--try"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    for (args, message) in [
        (&[&*first][..], "is a file: name the folder with the images, or two images"),
        (&[&*first, &*first], "with itself is no couple"),
        (&[&*first, &*text(&series)], "is no file: name a folder with images, or two images"),
    ] {
        let ended = piv(args);
        assert!(ended.status == Some(2) && ended.err.contains(message), "{message} in\n{}", ended.err);
    }
}

#[test]
fn two_images_in_the_parameters_go_without_a_series() {
    let folder = Folder::new();
    let series = series(&folder, &["1.png", "2.png"]);
    let params = folder.join("params.toml");
    let piv_with = |lines: &str, args: &[&str]| {
        fs::write(&params, format!("[series]\n{lines}\n")).expect("the test's own folder");
        piv(&[&["--params", &*text(&params)], args].concat())
    };
    let two = "images = [\"series/1.png\", \"series/2.png\"]";
    let ended = piv_with(two, &[]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    for other in ["path = \"series\"", "couples_file = \"x\"", "range = \"1:\""] {
        let ended = piv_with(&format!("{two}\n{other}"), &[]);
        assert!(ended.status == Some(2) && ended.err.contains("series.images names"), "{}", ended.err);
    }
    // The command line overrides them.
    let ended = piv_with(two, &[&*text(&series), "--out", &text(&folder.join("out"))]);
    assert!(ended.out.contains("1 couple (consecutive)"), "{}{}", ended.out, ended.err);
}
