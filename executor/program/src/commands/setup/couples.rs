//! The couples of `terzetto piv`, and what is printed about them before they are computed.

use std::path::{Path, PathBuf};

use terzetto_executor::{BoxError, processes::Reporter, results::file_name};
use terzetto_program::{
    params::Params,
    series::{Couple, CouplesFileError, LeftOverImage, couple_of, list_images, make_couples, read_couples},
};

use crate::commands::{
    print_line,
    setup::series::{images, series_folder},
};

/// The couples of a command.
pub struct CouplePlan {
    /// How they were found: the name of a rule, `list`, or `two images`.
    pub rule: String,
    pub couples: Vec<Couple>,
    /// The images, all of them.
    pub images: Vec<PathBuf>,
    pub single: Vec<LeftOverImage>,
    notes: Vec<String>,
}

/// Of many notes, so many are printed on the terminal. The log has all of them.
const MAX_NOTES: usize = 5;

impl CouplePlan {
    /// The couples that the parameters describe.
    pub fn new(params: &Params) -> Result<CouplePlan, BoxError> {
        let series = &params.series;
        if let Some(two) = &series.images {
            if series.path.is_some() || series.couples_file.is_some() || !series.range.is_all() {
                let hint = "it goes without series.path, series.couples_file and series.range";
                return Err(format!("series.images names the two images of one couple: {hint}").into());
            }
            if let Some(path) = two.iter().find(|path| !path.is_file()) {
                return Err(format!(
                    "`{}` is no file: name a folder with images, or two images",
                    path.display()
                )
                .into());
            }
            if two[0] == two[1] {
                return Err(format!("`{}` with itself is no couple", two[0].display()).into());
            }
            let (rule, couples) = ("two images".to_owned(), vec![couple_of(two.clone())]);
            return Ok(CouplePlan {
                rule,
                couples,
                images: two.to_vec(),
                single: Vec::new(),
                notes: Vec::new(),
            });
        }
        if let Some(file) = &series.couples_file {
            if !series.range.is_all() {
                let hint = "leave out lines of the file instead, with a # before them";
                return Err(format!("a range does not choose among listed couples: {hint}").into());
            }
            return Ok(CouplePlan::listed(file, &series_folder(params)?)?);
        }
        let images = images(params, 2)?;
        let made = make_couples(&images, series.couples)?;
        let (rule, couples) = (made.rule.to_string(), made.couples);
        Ok(CouplePlan { rule, couples, images, single: made.single, notes: made.notes })
    }

    fn listed(file: &Path, folder: &Path) -> Result<CouplePlan, CouplesFileError> {
        let couples = read_couples(file, folder)?;
        let mut images: Vec<PathBuf> = couples.iter().flat_map(|couple| couple.images.clone()).collect();
        images.sort();
        images.dedup();
        let all = list_images(folder).unwrap_or_default();
        let count = all.iter().filter(|path| images.binary_search(path).is_err()).count();
        // A list is a choice, so it is no mistake if it does not name all images.
        let notes = if count > 0 {
            vec![format!("{count} images of the folder are in no listed couple")]
        } else {
            vec![]
        };
        Ok(CouplePlan { rule: "list".to_owned(), couples, images, single: Vec::new(), notes })
    }

    /// Warns of gaps and left over images, and logs the couples.
    pub fn log_details(&self) {
        if Reporter::if_supervised().is_some() {
            // The supervisor has done it.
            return;
        }
        warn(&self.notes, "more such notes");
        let left = |left: &LeftOverImage| format!("`{}` is left over: {}", left.image.display(), left.why);
        warn(&self.single.iter().map(left).collect::<Vec<_>>(), "more images are left over");
        for couple in &self.couples {
            let [first, second] = couple.images.each_ref().map(|path| file_name(path));
            log::debug!("couple `{}`: `{first}` and `{second}`", couple.name);
        }
    }

    /// Prints `7 images, … couples, 1 left over`, and the names of the couples.
    pub fn print_summary(&self, couples: &str) {
        let mut text = format!("{} images, {couples}", self.images.len());
        if !self.single.is_empty() {
            text.push_str(&format!(", {} left over", self.single.len()));
        }
        print_line(&text);
        log::info!("{text}");
        let names: Vec<&str> = self.couples.iter().map(|couple| couple.name.as_str()).collect();
        let text = match &names[..] {
            [first, second, _, .., last] if names.len() > 4 => format!("{first}, {second}, … {last}"),
            names => names.join(", "),
        };
        print_line(&format!("{}: {text}", if names.len() == 1 { "couple" } else { "couples" }));
    }
}

fn warn(lines: &[String], more: &str) {
    for (at, line) in lines.iter().enumerate() {
        if at < MAX_NOTES { log::warn!("{line}") } else { log::info!("{line}") }
    }
    if lines.len() > MAX_NOTES {
        log::warn!("{} {more}: see the log", lines.len() - MAX_NOTES);
    }
}
