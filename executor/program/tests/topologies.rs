//! Topologies in files: drawn, checked, listed and run by `terzetto topology`.

mod common;

use std::fs;

use common::{Ended, Folder, names, run, synth, tables, terzetto};

const FIELDS: &str = r#"
name = "fields"

[limits]
images = 2

[[work]]
name = "list couples"
to = "couples"
params = { path = "series" }

[[work]]
name = "read couple"
from = "couples"
to = "images"

[[work]]
name = "remove the background"
use = "filter couple"
from = "images"
to = "filtered"
params = { filters = [{ filter = "sliding_minimum", radius = 8 }] }

[[work]]
name = "measure"
from = "filtered"
to = "fields"
max_workers = 1
params = { passes = [{ window = 16 }] }

[[work]]
name = "save field"
from = "fields"
params = { folder = "out" }
"#;

/// A folder with a series of three couples and a file.
fn folder_with(text: &str) -> Folder {
    let folder = Folder::new();
    synth(&folder.join("series"), 3, 48);
    fs::write(folder.join("own.toml"), text).expect("a file");
    folder
}

fn topology(folder: &Folder, args: &[&str]) -> Ended {
    run(terzetto().arg("topology").arg(folder.join("own.toml")).args(args))
}

#[test]
fn topo_01_a_file_is_shown_drawn_and_listed_and_nothing_is_written() {
    let folder = folder_with(FIELDS);
    let shown = topology(&folder, &[]);
    assert_eq!(shown.status, Some(0), "{}", shown.err);
    assert!(shown.out.contains("measure                  cpu       filtered -> fields  (max_workers = 1)"));
    assert!(shown.out.ends_with("topology `fields` can run: 5 works\n"), "{}", shown.out);
    assert!(topology(&folder, &["--graph"]).out.starts_with("digraph \"fields\" {"));
    let picture = folder.join("own.svg");
    assert_eq!(topology(&folder, &["--graph", &picture.display().to_string()]).status, Some(0));
    assert!(fs::read_to_string(picture).expect("a picture").contains("remove the background"));
    let listed = topology(&folder, &["--dry-run"]);
    assert_eq!(listed.status, Some(0), "{}", listed.err);
    assert!(listed.out.contains("list couples: 3 items: "), "{}", listed.out);
    assert!(!folder.join("out").exists());
}

#[test]
fn topo_02_a_file_runs_and_gives_what_piv_gives() {
    let folder = folder_with(FIELDS);
    let ran = topology(&folder, &["--run", "--quiet"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    assert!(ran.out.contains("3 of 3 items done"), "{}", ran.out);
    let params =
        "[[preprocess.filters]]\nfilter = \"sliding_minimum\"\nradius = 8\n[[piv.passes]]\nwindow = 16\n";
    fs::write(folder.join("params.toml"), params).expect("a file");
    let piv = run(terzetto()
        .arg("piv")
        .arg(folder.join("series"))
        .arg("--params")
        .arg(folder.join("params.toml"))
        .arg("--out")
        .arg(folder.join("piv"))
        .args(["--no-plots", "--quiet"]));
    assert_eq!(piv.status, Some(0), "{}", piv.err);
    // Numbers, without the comments, which name the images.
    let numbers = |name: &str| {
        let rows =
            |text: String| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        tables(&folder.join(name))
            .into_iter()
            .map(|(name, text)| (name, rows(text)))
            .collect::<Vec<(_, Vec<_>)>>()
    };
    assert_eq!(numbers("out").len(), 3);
    assert_eq!(numbers("out"), numbers("piv"));
}

#[test]
fn topo_03_images_are_filtered_by_a_file() {
    let text = r#"
        name = "filtered"
        [[work]]
        name = "list images"
        to = "paths"
        params = { path = "series" }
        [[work]]
        name = "read image"
        from = "paths"
        to = "images"
        [[work]]
        name = "filter"
        from = "images"
        to = "filtered"
        uses = { gpu = 1 }
        params = { filters = [{ filter = "gamma", exponent = 0.5 }] }
        [[work]]
        name = "save image"
        from = "filtered"
        params = { folder = "out" }
    "#;
    let folder = folder_with(text);
    let without = topology(&folder, &["--run", "--quiet"]);
    assert_eq!(without.status, Some(2));
    assert!(without.err.contains("nothing says how much there is: add --resource gpu=1"), "{}", without.err);
    assert_eq!(topology(&folder, &["--run", "--quiet", "--resource", "gpu=1"]).status, Some(0));
    assert_eq!(names(&folder.join("out"), ".png"), names(&folder.join("series"), ".png"));
    // Results never replace the images that they are made of.
    let before =
        fs::read(folder.join("series").join(&names(&folder.join("series"), ".png")[0])).expect("an image");
    fs::write(folder.join("own.toml"), text.replace("\"out\"", "\"series\"")).expect("a file");
    let refused = topology(&folder, &["--run", "--quiet", "--resource", "gpu=1"]);
    assert_eq!(refused.status, Some(1));
    assert!(refused.err.contains("results cannot go into the images' folder"), "{}", refused.err);
    let after =
        fs::read(folder.join("series").join(&names(&folder.join("series"), ".png")[0])).expect("an image");
    assert_eq!(before, after);
}

#[test]
fn topo_04_mistakes_are_named_with_file_key_and_hint() {
    let folder = folder_with(FIELDS);
    for (old, new, message) in [
        (
            "name = \"read couple\"",
            "name = \"read cuople\"",
            "work `read cuople`: there is no work `read cuople` (is `read couple` meant?)",
        ),
        ("max_workers = 1", "workers = 1", "unknown field `workers`"),
        ("images = 2", "imags = 2", "no work has a queue `imags`; is `images` meant?"),
        ("window = 16", "window = \"wide\"", "work `measure`: its params: passes[0].window: invalid type"),
        ("window = 16", "window = 1", "work `measure`: params.passes[0].window: 1, must be "),
        ("radius = 8", "radius = 0", "work `remove the background`: params.filters: "),
        (
            "radius = 8",
            "radios = 8",
            "work `remove the background`: its params: filters[0]: unknown field `radios`",
        ),
        ("path = \"series\"", "path = \"serie\"", "work `list couples`: cannot list the folder `"),
        (
            "to = \"filtered\"",
            "to = \"fltered\"",
            "no work takes from queue `fltered`: add one with from = \"fltered\"",
        ),
        ("from = \"fields\"", "from = \"filtered\"", "this work wants `"),
        ("name = \"fields\"", "nome = \"fields\"", "unknown field `nome`"),
    ] {
        let text = FIELDS.replacen(old, new, 1);
        assert_ne!(text, FIELDS, "{old}");
        fs::write(folder.join("own.toml"), text).expect("a file");
        for args in [&[][..], &["--dry-run"], &["--run"]] {
            let refused = topology(&folder, args);
            assert_eq!(refused.status, Some(2), "{new}");
            assert!(
                refused.err.contains("own.toml: ") && refused.err.contains(message),
                "{new}: {}",
                refused.err
            );
        }
    }
    assert!(!folder.join("out").exists());
}

#[test]
fn topo_05_what_does_not_fit_together_is_refused() {
    let folder = folder_with(FIELDS);
    let refused = |args: &[&str], message: &str| {
        let ended = run(terzetto().arg("topology").args(args));
        assert_eq!(ended.status, Some(2), "{args:?}");
        assert!(ended.err.contains(message), "{args:?}: {}", ended.err);
    };
    let file = folder.join("own.toml").display().to_string();
    refused(&[&file, "--run", "--dry-run"], "cannot be used with");
    refused(&[&file, "--run", "--resource", "gpu"], "such as gpu=2");
    refused(&[&file, "--run", "--executor", "multi"], "choose another executor than multi");
    refused(&["piv", "--run"], "`terzetto piv IMAGES` runs this topology");
    refused(&["nowhere.toml"], "cannot read `nowhere.toml`");
    let works = run(terzetto().args(["topology", "--works"])).out;
    assert!(works.contains("save field") && works.lines().count() == 9, "{works}");
}
