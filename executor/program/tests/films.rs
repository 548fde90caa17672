//! Films in place of a folder with images: TIFF files of several pages, AVI files, and what `ffmpeg` reads.

mod common;

use std::{fs, path::Path};

use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};
use terzetto_kernels::{Flow, Image, SynthParams, read_image, synth_couple, write_png16};

use common::{
    Ended, Folder,
    films::{avi, film},
    names, run, terzetto,
};

const SIDE: usize = 64;

/// Two images of particles, in whole counts of 8 bits.
fn couple(seed: u64) -> [Image; 2] {
    let params = SynthParams { width: SIDE, height: SIDE, intensity: 200.0, seed, ..SynthParams::default() };
    let (first, second) = synth_couple(&params, &Flow::Uniform { dx: 2.0, dy: 1.0 }, 0).expect("images");
    [first, second].map(|image| Image::from_fn(SIDE, SIDE, |x, y| image.row(y)[x].clamp(0.0, 255.0).round()))
}

fn bytes(image: &Image) -> Vec<u8> {
    image.data().iter().map(|&value| value as u8).collect()
}

fn piv(film: &Path, args: &[&str]) -> Ended {
    run(terzetto().arg("piv").arg(film).args(["--no-plots", "--window", "16", "--quiet"]).args(args))
}

#[test]
fn piv_10_a_tiff_of_several_pages_is_a_series() {
    let folder = Folder::new();
    let path = folder.join("run7.tif");
    let pages = [couple(1), couple(2)].concat();
    film(&path, &pages[..3]);
    let ended = piv(&path, &["--dry-run"]);
    assert!(ended.status == Some(2) && ended.err.contains("is a film"), "{}{}", ended.out, ended.err);
    let ended = piv(&path, &[]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("3 images in"), "{}", ended.out);
    let tables = ["piv_run7_0001-0002.csv", "piv_run7_0002-0003.csv"];
    assert_eq!(names(&folder.join("run7.piv"), ".csv"), tables);
    for (page, image) in (1..).zip(&pages[..3]) {
        assert_eq!(
            read_image(&folder.join("run7.pages").join(format!("run7_000{page}.png"))).unwrap().data(),
            image.data()
        );
    }
    // Whole pages are not written again, and results of them are complete.
    let written = |name: &str| fs::metadata(folder.join(name)).unwrap().modified().unwrap();
    let before = written("run7.pages/run7_0003.png");
    let ended = piv(&path, &["--complete"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(written("run7.pages/run7_0003.png"), before);
    // Another film of this name has other pages.
    film(&path, &pages);
    let ended = piv(&path, &["--saving", "recompute"]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(names(&folder.join("run7.piv"), ".csv").len(), 3);
    // What somebody else has put there is not touched.
    fs::write(folder.join("run7.pages/notes.txt"), "mine").unwrap();
    film(&path, &pages[..2]);
    let ended = piv(&path, &["--saving", "recompute"]);
    assert!(
        ended.status == Some(2) && ended.err.contains("its files are not those of the film"),
        "{}",
        ended.err
    );
    assert_eq!(names(&folder.join("run7.pages"), ".png").len(), 4);
}

#[test]
fn piv_10_an_avi_of_uncompressed_frames_is_a_series_and_dropped_frames_keep_their_numbers() {
    let folder = Folder::new();
    let [a, b] = couple(3);
    // Bitmaps begin with their lowest row.
    let upwards = |image: &Image| bytes(image).chunks(SIDE).rev().flatten().copied().collect::<Vec<u8>>();
    let path = folder.join("film.avi");
    let frames = [upwards(&a), upwards(&b), Vec::new(), upwards(&a)];
    fs::write(&path, avi(&[0; 4], 8, (SIDE as i32, SIDE as i32), &frames)).unwrap();
    let ended = run(terzetto().arg("pages").arg(&path).arg(folder.join("pages")));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    assert_eq!(names(&folder.join("pages"), ".png"), ["film_0001.png", "film_0002.png", "film_0004.png"]);
    assert_eq!(read_image(&folder.join("pages/film_0002.png")).unwrap().data(), b.data());
    let ended = piv(&path, &[]);
    assert_eq!(ended.status, Some(1), "the last frame has no partner: {}{}", ended.out, ended.err);
    assert_eq!(names(&folder.join("film.piv"), ".csv"), ["piv_film_0001-0002.csv"]);
    // A file that ends too early is no film of fewer frames.
    let whole = fs::read(&path).unwrap();
    fs::write(folder.join("half.avi"), &whole[..whole.len() - SIDE * SIDE]).unwrap();
    let ended = run(terzetto().arg("pages").arg(folder.join("half.avi")).arg(folder.join("half")));
    assert!(ended.status == Some(2) && ended.err.contains("ends within frame 4"), "{}", ended.err);
    fs::write(folder.join("text.avi"), "not a film at all").unwrap();
    let ended = run(terzetto().arg("pages").arg(folder.join("text.avi")).arg(folder.join("text")));
    assert!(ended.status == Some(2) && ended.err.contains("is no AVI file"), "{}", ended.err);
}

#[test]
fn piv_10_an_avi_of_jpeg_frames_is_a_series() {
    let folder = Folder::new();
    let couple = couple(4);
    let frames = couple.each_ref().map(|image| {
        let mut frame = Vec::new();
        let side = SIDE as u32;
        JpegEncoder::new_with_quality(&mut frame, 100)
            .encode(&bytes(image), side, side, ExtendedColorType::L8)
            .unwrap();
        frame
    });
    let path = folder.join("film.AVI");
    fs::write(&path, avi(b"MJPG", 24, (SIDE as i32, SIDE as i32), &frames)).unwrap();
    let ended = piv(&path, &[]);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(names(&folder.join("film.piv"), ".csv"), ["piv_film_0001-0002.csv"]);
    let page = read_image(&folder.join("film.pages/film_0001.png")).unwrap();
    let differ = page.data().iter().zip(couple[0].data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(differ <= 4.0, "what JPEG loses at its best quality: {differ}");
}

#[cfg(unix)]
#[test]
fn piv_10_other_videos_are_read_by_ffmpeg_and_it_is_said_if_that_is_missing() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let [a, b] = couple(5);
    let path = folder.join("100% film.avi");
    fs::write(&path, avi(b"H264", 24, (SIDE as i32, SIDE as i32), &[vec![1; 8]])).unwrap();
    let pages = |search: &str, out: &str| {
        run(terzetto()
            .arg("pages")
            .arg(&path)
            .arg(folder.join(out))
            .env("PATH", search)
            .env("FRAMES", folder.join("")))
    };
    let ended = pages("/nowhere", "none");
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.err.contains("`ffmpeg` is needed for this film (H264), and is not installed"),
        "{}",
        ended.err
    );
    // In place of ffmpeg, a script that knows only the older word, and puts two frames where it is told.
    write_png16(&folder.join("a.png"), &a).unwrap();
    write_png16(&folder.join("b.png"), &b).unwrap();
    let script = "#!/bin/sh\nfor target; do\n  [ \"$target\" = -fps_mode ] && { echo unknown option fps_mode >&2; exit 1; }\n\
                  done\ncp \"$FRAMES/a.png\" \"$(printf \"$target\" 1)\"\ncp \"$FRAMES/b.png\" \"$(printf \"$target\" 2)\"\n";
    fs::create_dir(folder.join("bin")).unwrap();
    fs::write(folder.join("bin/ffmpeg"), script).unwrap();
    fs::set_permissions(folder.join("bin/ffmpeg"), fs::Permissions::from_mode(0o755)).unwrap();
    let search = format!("{}:/usr/bin:/bin", folder.join("bin").display());
    let ended = pages(&search, "pages");
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    assert_eq!(names(&folder.join("pages"), ".png"), ["100% film_0001.png", "100% film_0002.png"]);
    fs::write(folder.join("bin/ffmpeg"), "#!/bin/sh\necho broken film >&2\nexit 1\n").unwrap();
    let ended = pages(&search, "broken");
    assert!(
        ended.status == Some(2) && ended.err.contains("ffmpeg cannot read it: broken film"),
        "{}",
        ended.err
    );
}
