//! Masks as images, as polygons, and moving: what a couple has no vectors of.

mod common;

use std::{fs, path::Path};

use terzetto_kernels::{Flags, Image, VectorField, output::decode, write_png16};

use common::series::{Series, ended, has, text};

fn field(folder: &Path, couple: &str) -> VectorField {
    let bytes = fs::read(folder.join(format!("piv_{couple}.nc"))).expect("a result");
    decode(&bytes).expect("sound").last().expect("a field").clone()
}

/// Columns of masked vectors.
fn masked(field: &VectorField) -> Vec<f64> {
    let masked = field.vectors.iter().filter(|vector| vector.flags.contains(Flags::MASKED));
    let mut columns: Vec<f64> =
        masked.inspect(|vector| assert!(vector.dx.is_nan())).map(|vector| vector.x).collect();
    columns.sort_by(f64::total_cmp);
    columns.dedup();
    columns
}

#[test]
fn piv_03_polygons_mask_what_an_image_of_them_does() {
    let series = Series::new(1);
    let image = Image::from_fn(48, 48, |x, _| if x < 20 { 0.0 } else { 255.0 });
    write_png16(&series.folder.join("mask.png"), &image).expect("the test's own folder");
    let files = [
        ("a.toml", "[[polygons]]\npoints = [[-1, -1], [19.5, -1], [19.5, 48], [-1, 48]]\n"),
        (
            "b.json",
            r#"{"inside": "flow", "polygons": [{"points": [[19.5, -1], [48, -1], [48, 48], [19.5, 48]]}]}"#,
        ),
        ("mask.png", ""),
    ];
    let results = files.map(|(name, content)| {
        if !content.is_empty() {
            fs::write(series.folder.join(name), content).expect("the test's own folder");
        }
        let out = series.folder.join(&format!("{name}.out"));
        ended(&series.piv(&["--mask", &text(&series.folder.join(name)), "--out", &text(&out)]), 0);
        fs::read_to_string(out.join("piv_couple_0001a-b.csv")).expect("a table")
    });
    assert!(results[0].contains("masked"));
    assert_eq!(results[0], results[2]);
    assert_eq!(results[1], results[2]);
    fs::write(series.folder.join("bad.toml"), "[[polygons]]\npoints = [[1, 2]]\n")
        .expect("the test's own folder");
    let refused = series.piv(&["--mask", &text(&series.folder.join("bad.toml"))]);
    ended(&refused, 2);
    has(&refused.err, "polygons[0].points: 1 corners, must be at least three");
}

#[test]
fn piv_03_each_couple_has_the_mask_of_its_number() {
    let series = Series::new(3);
    let masks = series.folder.join("masks");
    fs::create_dir(&masks).expect("the test's own folder");
    // A wall that moves to the right: as polygons, as an image, and as JSON. One more than there are couples.
    let wall =
        |left: usize| format!("[[{left}, -1], [{}, -1], [{}, 48], [{left}, 48]]", left + 16, left + 16);
    let toml = |left: usize| format!("[[polygons]]\npoints = {}\n", wall(left));
    fs::write(masks.join("wall_1.toml"), toml(0)).expect("the test's own folder");
    let image = Image::from_fn(48, 48, |x, _| if (16..32).contains(&x) { 0.0 } else { 1.0 });
    write_png16(&masks.join("wall_2.png"), &image).expect("the test's own folder");
    let json = format!("{{\"polygons\": [{{\"points\": {}}}]}}", wall(32));
    fs::write(masks.join("wall_3.json"), json).expect("the test's own folder");
    fs::write(masks.join("wall_4.toml"), toml(0)).expect("the test's own folder");
    let mask = text(&masks);
    ended(&series.piv(&["--mask", &mask]), 0);
    let columns =
        ["0001", "0002", "0003"].map(|number| masked(&field(&series.out, &format!("couple_{number}a-b"))));
    assert!(columns[0].iter().all(|x| *x < 16.0) && !columns[0].is_empty(), "{columns:?}");
    assert!(columns[1].iter().all(|x| (16.0..32.0).contains(x)) && !columns[1].is_empty(), "{columns:?}");
    assert!(columns[2].iter().all(|x| *x > 32.0) && !columns[2].is_empty(), "{columns:?}");
    // A pattern is as good as a folder, and results belong to the content of their masks.
    let mut pattern = masks.join("wall_*").display().to_string();
    has(&series.piv(&["--mask", &pattern, "--complete"]).out, "3 of them done before");
    fs::write(masks.join("wall_1.toml"), toml(4)).expect("the test's own folder");
    let refused = series.piv(&["--mask", &mask, "--complete"]);
    ended(&refused, 2);
    has(&refused.err, "mask was \"");
    // A couple without a mask is told before anything is computed.
    fs::remove_file(masks.join("wall_2.png")).expect("the test's own folder");
    let refused = series.piv(&["--mask", &mask, "--out", &text(&series.folder.join("other"))]);
    ended(&refused, 2);
    has(&refused.err, "couple `couple_0002a-b` has no mask: there is none of number 2");
    fs::write(masks.join("wall_03.toml"), toml(4)).expect("the test's own folder");
    let refused = series.piv(&["--mask", &mask, "--out", &text(&series.folder.join("other"))]);
    ended(&refused, 2);
    has(&refused.err, "have the same number");
    pattern.push_str(".gif");
    let refused = series.piv(&["--mask", &pattern, "--out", &text(&series.folder.join("other"))]);
    ended(&refused, 2);
    has(&refused.err, "there is no mask in");
}
