//! Errors of a pipeline are told by the program: none vanishes.

mod common;

use std::fs;

use terzetto_executor::{ExecutorAsync, Key, Options};
use terzetto_program::{
    pipelines::{PivSeries, piv},
    series::Couple,
};

use common::{Folder, run, synth, terzetto};

#[test]
fn couples_of_one_name_are_refused() {
    let couple = Couple { name: Key::from("a/b"), images: ["a".into(), "b".into()] };
    let other = Couple { name: Key::from("a_b"), ..couple.clone() };
    let topology = piv(PivSeries::new(vec![couple, other], Default::default(), "nowhere".into()));
    let executor = ExecutorAsync::new(topology, Options::new()).expect("the graph is sound");
    let error = terzetto::run(executor.run()).expect_err("their files would be the same");
    assert!(error.to_string().contains("two couples are called `a_b`"), "{error}");
}

#[test]
fn the_program_tells_an_error_of_a_work_by_its_status() {
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 1, 32);
    // In the way of a result.
    fs::create_dir_all(out.join("mean.png")).expect("the test's own folder");
    for executor in ["async", "async-sequential", "sequential"] {
        let mut command = terzetto();
        command.arg("mean").arg(&images).arg("--out").arg(&out);
        let ended = run(command.args(["--saving", "recompute", "--executor", executor]));
        assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("ended by an error: 2 of 2 images done, 1 failed"), "{}", ended.out);
        assert!(ended.err.contains("work `save` failed on `save`: cannot write"), "{}", ended.err);
    }
}
