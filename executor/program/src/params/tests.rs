//! The reference against the code, and what is said of files that are wrong.

use super::*;
use crate::series::CoupleRule;

/// The keys of all values, such as `piv.passes[0].window`.
fn keys(value: &toml::Value, at: &str, found: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            let dot = if at.is_empty() { "" } else { "." };
            table.iter().for_each(|(key, value)| keys(value, &format!("{at}{dot}{key}"), found));
        }
        toml::Value::Array(list) if list.iter().any(toml::Value::is_table) => {
            list.iter().enumerate().for_each(|(index, value)| keys(value, &format!("{at}[{index}]"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

fn keys_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    keys(&toml::from_str(text).expect("TOML"), "", &mut found);
    found.sort();
    found
}

/// The reference with what has no value by default.
fn uncommented() -> String {
    let is_key = |text: &str| {
        let word = text.split(" = ").next().unwrap_or_default();
        text.starts_with('[') && text.ends_with(']')
            || text.contains(" = ") && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if is_key(rest) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    DEFAULTS.lines().map(line).collect()
}

#[test]
fn the_reference_tells_the_defaults_and_all_of_them() {
    let params = Params::parse(DEFAULTS, "the reference").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(params, Params::default());
    assert_eq!(keys_of(DEFAULTS), keys_of(&Params::default().to_toml()));
}

#[test]
fn the_reference_shows_every_key_that_has_no_default() {
    let text = uncommented();
    let params = Params::parse(&text, "the reference").unwrap_or_else(|error| panic!("{error}\n{text}"));
    let background = params.preprocess.background.as_ref().expect("a background");
    assert!(params.preprocess.temporal.is_some() && background.statistic.is_some());
    let mut found = keys_of(&text);
    // A background has either a statistic or an image, so that the reference shows one.
    found.push("preprocess.background.image".to_owned());
    found.sort();
    let mut complete = params.clone();
    complete.preprocess.background.as_mut().expect("a background").image = Some("image.png".into());
    assert_eq!(found, keys_of(&complete.to_toml()));
}

#[test]
fn what_is_written_is_read() {
    let mut params = Params::parse(&uncommented(), "the reference").expect("as above");
    params.series.couples = CoupleRule::Apart(3);
    params.series.range = "5:40:7".parse().expect("a range");
    params.piv.set_number(3);
    let text = params.to_toml();
    assert_eq!(Params::parse(&text, "text").unwrap_or_else(|error| panic!("{error}\n{text}")), params);
    assert_eq!(Params::parse("", "nothing"), Ok(Params::default()));
}

#[test]
fn windows_and_passes_are_set_together() {
    let mut section = PivSection::default();
    section.set_number(3);
    let windows = |section: &PivSection| section.passes.iter().map(|pass| pass.window).collect::<Vec<_>>();
    assert_eq!(windows(&section), [32, 16, 8]);
    section.set_window(128);
    assert_eq!(windows(&section), [128, 64, 32]);
    section.set_number(1);
    assert_eq!(windows(&section), [128]);
    section.set_number(0);
    assert!(section.validate().is_err());
}

#[test]
fn every_kind_of_mistake_is_told_with_file_key_and_value() {
    for (text, told) in [
        (
            "[[piv.passes]]\n[[piv.passes]]\nwindow = 0",
            "p.toml: piv.passes[1].window: 0, must be 4 to 4096 px",
        ),
        (
            "[[piv.passes]]\nwindow = 32.5",
            "p.toml, line 2: piv.passes[0].window: invalid type: floating point `32.5`",
        ),
        (
            "[[piv.passes]]\nwindow = \"a\"",
            "p.toml, line 2: piv.passes[0].window: invalid type: string \"a\"",
        ),
        ("[[piv.passes]]\nwindw = 32", "p.toml, line 2: piv.passes[0].windw: unknown field `windw`"),
        (
            "[[piv.passes]]\ncorrelation = \"magic\"",
            "p.toml, line 2: piv.passes[0].correlation: unknown variant `magic`",
        ),
        ("[[piv.passes]]\noverlap = 1.0", "p.toml: piv.passes[0].overlap: 1.0, must be 0 or more, below 1"),
        (
            "[[piv.passes]]\nsubpixel.radius = 9",
            "p.toml: piv.passes[0].subpixel.radius: 9, must be 1 to 4 px",
        ),
        (
            "[[piv.passes]]\ndisplacement_max = 0.5",
            "p.toml: piv.passes[0].displacement_max: 0.5, must be at least 1 px",
        ),
        (
            "[[piv.passes]]\n[piv.passes.validation]\ncorrel_min = 2.0",
            "p.toml: piv.passes[0].validation.correl_min: 2.0",
        ),
        ("[piv]\npasses = []", "p.toml: piv.passes: 0, must be 1 to 10 passes"),
        ("[piv.spline]\nsmoothing = -1.0", "p.toml: piv.spline.smoothing: -1.0, must be 0 or more"),
        ("[piv]\nregion = { left = 1 }", "p.toml, line 2: piv.region: missing field `top`"),
        ("[piv]\ndisplacement_mean = [1.0]", "p.toml, line 2: piv.displacement_mean"),
        ("[pvi]", "p.toml, line 1: pvi: unknown field `pvi`"),
        ("[series]\nrange = \"a:b\"", "p.toml, line 2: series.range: `a:b`"),
        ("[series]\nrange = \"1:9:0\"", "p.toml, line 2: series.range: `1:9:0`"),
        ("[series]\ncouples = \"triples\"", "p.toml, line 2: series.couples: `triples`"),
        ("[output]\nformats = [\"hdf5\"]", "p.toml, line 2: output.formats[0]: unknown variant `hdf5`"),
        ("[output]\nformats = []", "p.toml: output.formats: []"),
        ("[output]\nplots = [\"vectors\", \"vectors\"]", "p.toml: output.plots[1]: is there twice"),
        (
            "[[preprocess.filters]]\nfilter = \"sliding_median\"\nradius = 0",
            "p.toml: preprocess.filters[0].radius: 0",
        ),
        ("[[preprocess.filters]]\nfilter = \"blur\"", "p.toml, line"),
        ("[preprocess.background]", "p.toml: preprocess.background: needs either `statistic` or `image`"),
        ("[preprocess.background]\nimage = \"a\"\nsamples = 0", "p.toml: preprocess.background.samples: 0"),
        ("[preprocess.temporal]\nwindow = 4", "p.toml: preprocess.temporal.window: 4, must be an odd number"),
        ("[piv\n", "p.toml, line 1"),
        ("[piv]\nmask = \"a\"\nmask = \"b\"", "p.toml, line 3"),
    ] {
        let error = Params::parse(text, "p.toml").expect_err(text).to_string();
        assert!(error.starts_with(told), "{error}\ninstead of\n{told}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn paths_are_relative_to_the_file() -> std::io::Result<()> {
    let folder = std::env::temp_dir().join(format!("terzetto-params-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("params.toml");
    std::fs::write(&file, "[series]\npath = \"images\"\n[piv]\nmask = \"/masks/one.png\"")?;
    let params = Params::read(&file).expect("sound");
    assert_eq!(params.series.path, Some(folder.join("images")));
    assert_eq!(params.piv.mask, Some("/masks/one.png".into()));
    let missing = Params::read(&folder.join("none.toml")).expect_err("missing").to_string();
    assert!(missing.contains("none.toml: cannot be read"), "{missing}");
    std::fs::remove_dir_all(folder)
}
