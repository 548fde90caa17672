//! A file that lists couples, for series whose names do not say which images belong together.
//!
//! ```text
//! # first image, second image
//! Pattern_0001_A.png  Pattern_1001_B.png
//! Pattern_0002_A.png, Pattern_1002_B.png
//! ```

use std::{
    collections::HashMap,
    error::Error,
    fmt, fs,
    path::{Path, PathBuf},
};

use terzetto_executor::{
    Key,
    results::{file_name, stem, text},
};

use super::{Couple, couples::short_name};

/// A list of couples that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouplesFileError {
    file: PathBuf,
    line: Option<usize>,
    problem: String,
}

impl fmt::Display for CouplesFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Error for CouplesFileError {}

/// Reads the couples that a file lists. Each line has the names of a first and a second image, relative to `folder`.
/// The names are separated by a tab or a comma, or by spaces if there is none of these. Empty lines and lines that
/// begin with `#` are ignored.
///
/// # Errors
///
/// [`CouplesFileError`] with the line: it does not have two names, an image does not exist, an image is coupled with
/// itself, or a couple is listed twice.
pub fn read_couples(file: &Path, folder: &Path) -> Result<Vec<Couple>, CouplesFileError> {
    let failed =
        |line: Option<usize>, problem: String| CouplesFileError { file: file.to_owned(), line, problem };
    let text = fs::read_to_string(file).map_err(|error| failed(None, format!("cannot be read: {error}")))?;
    let mut pairs: Vec<[PathBuf; 2]> = Vec::new();
    let mut lines = HashMap::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let failed = |problem: String| failed(Some(number), problem);
        let names = split(line);
        let [first, second] = names[..] else {
            return Err(failed(format!(
                "{} names, must be two: the first image and the second",
                names.len()
            )));
        };
        let pair = [first, second].map(|name| folder.join(name));
        if let Some(missing) = pair.iter().find(|path| !path.is_file()) {
            return Err(failed(format!("`{}` is no file", missing.display())));
        }
        if pair[0] == pair[1] {
            return Err(failed(format!("`{first}` with itself is no couple")));
        }
        if let Some(before) = lines.insert(pair.clone(), number) {
            return Err(failed(format!("the same couple as in line {before}")));
        }
        pairs.push(pair);
    }
    if pairs.is_empty() {
        return Err(failed(None, "lists no couple".to_owned()));
    }
    name_listed(&pairs, folder).map_err(|problem| failed(None, problem))
}

fn split(line: &str) -> Vec<&str> {
    let parts: Vec<&str> = match ['\t', ','].into_iter().find(|mark| line.contains(*mark)) {
        Some(mark) => line.split(mark).map(str::trim).collect(),
        None => line.split_whitespace().collect(),
    };
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

/// Two images as a couple.
pub fn couple_of(images: [PathBuf; 2]) -> Couple {
    Couple { name: Key::from(short_name(&stem(&images[0]), &stem(&images[1]))), images }
}

/// The shortest names that are all different: made of file names without endings, of file names, or of paths.
fn name_listed(pairs: &[[PathBuf; 2]], folder: &Path) -> Result<Vec<Couple>, String> {
    let path = |path: &PathBuf| {
        text(path.strip_prefix(folder).unwrap_or(path).as_os_str()).replace(['/', '\\'], "_")
    };
    type Way<'a> = &'a dyn Fn(&[PathBuf; 2]) -> String;
    let ways: [Way<'_>; 3] = [
        &|[a, b]| short_name(&stem(a), &stem(b)),
        &|[a, b]| format!("{}-{}", file_name(a), file_name(b)),
        &|[a, b]| format!("{}-{}", path(a), path(b)),
    ];
    let mut clash = None;
    for way in ways {
        let names: Vec<String> = pairs.iter().map(way).collect();
        let mut seen = HashMap::new();
        clash = names.iter().enumerate().find_map(|(at, name)| Some((seen.insert(name, at)?, at)));
        if clash.is_none() {
            let couple = |(name, images): (String, &[PathBuf; 2])| Couple {
                name: name.into(),
                images: images.clone(),
            };
            return Ok(names.into_iter().zip(pairs).map(couple).collect());
        }
    }
    let (a, b) = clash.unwrap_or_default();
    Err(format!("couples {} and {} would have the same name", a + 1, b + 1))
}
