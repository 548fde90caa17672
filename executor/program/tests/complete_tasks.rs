//! `--complete` of the other tasks: images against a reference, filters over time, statistics.

mod common;

use std::fs;

use common::{
    run,
    series::{Series, ended, has},
    terzetto,
};

#[test]
fn images_against_a_reference_know_both() {
    let series = Series::numbered(4);
    let reference = series.folder.join("reference.png");
    fs::copy(series.image("1.png"), &reference).expect("a copy");
    let bos = |args: &[&str]| {
        let mut command = terzetto();
        command
            .arg("bos")
            .arg(&reference)
            .arg(&series.images)
            .arg("--out")
            .arg(&series.out)
            .arg("--no-plots");
        run(command.args(args))
    };
    ended(&bos(&[]), 0);
    has(&bos(&["--complete"]).out, "4 of them done before");
    has(
        &bos(&["--complete", "--window", "16"]).err,
        "4 results, such as bos_1: piv.passes[0].window was 32, is 16",
    );
    fs::copy(series.image("3.png"), &reference).expect("a copy");
    let refused = bos(&["--complete"]);
    ended(&refused, 2);
    has(&refused.err, "4 results, such as bos_1: image `reference.png` has changed since");
}

#[test]
fn images_filtered_over_time_know_their_neighbours() {
    let series = Series::numbered(6);
    let params = series.folder.join("params.toml");
    let filter = |window: usize| {
        let text =
            format!("[preprocess.temporal]\nstatistic = \"minimum\"\nwindow = {window}\nsubtract = true\n");
        fs::write(&params, text).expect("the test's own folder");
    };
    let preprocess = |args: &[&str]| {
        let mut command = terzetto();
        command
            .arg("preprocess")
            .arg(&series.images)
            .arg("--out")
            .arg(&series.out)
            .arg("--params")
            .arg(&params);
        run(command.args(args))
    };
    filter(3);
    ended(&preprocess(&[]), 0);
    has(&preprocess(&["--complete"]).out, "6 of them done before");
    fs::write(series.out.join("2.png"), "junk").expect("damage");
    has(&preprocess(&["--complete"]).out, "1 of 1 images done");
    let other = Series::new(3);
    fs::copy(other.image("couple_0003b.png"), series.image("3.png")).expect("a copy");
    let refused = preprocess(&["--complete"]);
    ended(&refused, 2);
    has(&refused.err, "3 results, such as 2.png: image `3.png` has changed since");
    has(&preprocess(&["--complete", "--if-changed", "recompute"]).out, "3 of 3 images done");
    // One that cannot be read is remembered as that.
    fs::write(series.image("5.png"), "no image").expect("the test's own folder");
    ended(&preprocess(&["--complete", "--if-changed", "recompute"]), 1);
    let again = preprocess(&["--complete", "--if-changed", "recompute"]);
    has(&again.out, "6 images, 5 of them done before");
    has(&preprocess(&["--complete"]).err, "5.png: image `5.png` has changed since");
    filter(5);
    has(&preprocess(&["--complete"]).err, "preprocess.temporal.window was 3, is 5");
}

#[test]
fn statistics_are_of_whole_series_of_unchanged_images() {
    let series = Series::numbered(3);
    let mean = |args: &[&str]| {
        let mut command = terzetto();
        run(command.arg("mean").arg(&series.images).arg("--out").arg(&series.out).args(args))
    };
    ended(&mean(&[]), 0);
    has(&mean(&["--complete"]).out, "3 images, done before");
    fs::write(series.out.join("std.png"), "").expect("damage");
    let again = mean(&["--complete"]);
    has(&again.out, "3 of 3 images done");
    has(&again.err, "`std.png` has 0 bytes");
    // There is one result, with which none is mixed: it is computed again, and that is said.
    let other = Series::new(3);
    fs::copy(other.image("couple_0003b.png"), series.image("2.png")).expect("a copy");
    let again = mean(&["--complete"]);
    has(&again.out, "3 of 3 images done");
    has(&again.err, "computed again: mean: image `2.png` has changed since");
    // Statistics that lack an image are not done.
    fs::write(series.image("2.png"), "no image").expect("the test's own folder");
    for _ in 0..2 {
        let again = mean(&["--complete"]);
        ended(&again, 1);
        has(&again.out, "2 of 3 images done, 1 failed");
    }
}
