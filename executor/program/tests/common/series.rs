//! A series of which results are computed, completed and compared.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Ended, Folder, names, run, synth, terzetto};

pub fn text(path: &Path) -> String {
    path.display().to_string()
}

pub struct Series {
    pub folder: Folder,
    pub images: PathBuf,
    pub out: PathBuf,
}

impl Series {
    /// Couples 1a-1b and so on, of which nothing is computed.
    pub fn new(pairs: usize) -> Series {
        let folder = Folder::new();
        let (images, out) = (folder.join("series"), folder.join("out"));
        synth(&images, pairs, 48);
        Series { folder, images, out }
    }

    /// Images 1, 2, 3 …
    pub fn numbered(count: usize) -> Series {
        let series = Series::new(count.div_ceil(2));
        for (number, name) in (1..).zip(names(&series.images, ".png")) {
            let path = series.images.join(name);
            match number <= count {
                true => fs::rename(path, series.images.join(format!("{number}.png"))).expect("a rename"),
                false => fs::remove_file(path).expect("the test's own folder"),
            }
        }
        series
    }

    /// Into `out`, with windows of 16 px, if `args` say nothing else.
    pub fn piv(&self, args: &[&str]) -> Ended {
        let mut command = terzetto();
        command.arg("piv").arg(&self.images).arg("--no-plots").args(args);
        if !args.contains(&"--out") {
            command.arg("--out").arg(&self.out);
        }
        if !args.contains(&"--window") {
            command.args(["--window", "16"]);
        }
        run(&mut command)
    }

    pub fn computed(pairs: usize) -> Series {
        let series = Series::new(pairs);
        ended(&series.piv(&[]), 0);
        series
    }

    pub fn image(&self, name: &str) -> PathBuf {
        self.images.join(name)
    }
}

pub fn ended(ended: &Ended, status: i32) {
    assert_eq!(ended.status, Some(status), "{}{}", ended.out, ended.err);
}

pub fn has(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` in\n{text}");
}
