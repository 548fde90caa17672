//! Which couples `terzetto piv` computes, and what is said of them before.

use std::path::{Path, PathBuf};

use terzetto_executor::{BoxError, processes::Reporter, results::file_name};
use terzetto_program::{
    params::Params,
    series::{Couple, CouplesFileError, LeftOver, couple_of, list_images, make_couples, read_couples},
};

use crate::commands::{
    say,
    setup::series::{images, series_folder},
};

/// The couples of a command.
pub struct Plan {
    /// How they were found: a rule's name, `list` or `two images`.
    pub rule: String,
    pub couples: Vec<Couple>,
    /// The images, all of them.
    pub images: Vec<PathBuf>,
    pub single: Vec<LeftOver>,
    notes: Vec<String>,
}

/// Of a longer list of things that are odd, so many are told on the terminal; all are in the log.
const TOLD: usize = 5;

impl Plan {
    /// The couples that the parameters describe.
    pub fn new(params: &Params) -> Result<Plan, BoxError> {
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
            return Ok(Plan { rule, couples, images: two.to_vec(), single: Vec::new(), notes: Vec::new() });
        }
        if let Some(file) = &series.couples_file {
            if !series.range.is_all() {
                let hint = "leave out lines of the file instead, with a # before them";
                return Err(format!("a range does not choose among listed couples: {hint}").into());
            }
            return Ok(Plan::listed(file, &series_folder(params)?)?);
        }
        let images = images(params, 2)?;
        let made = make_couples(&images, series.couples)?;
        let (rule, couples) = (made.rule.to_string(), made.couples);
        Ok(Plan { rule, couples, images, single: made.single, notes: made.notes })
    }

    fn listed(file: &Path, folder: &Path) -> Result<Plan, CouplesFileError> {
        let couples = read_couples(file, folder)?;
        let mut images: Vec<PathBuf> = couples.iter().flat_map(|couple| couple.images.clone()).collect();
        images.sort();
        images.dedup();
        let all = list_images(folder).unwrap_or_default();
        let count = all.iter().filter(|path| images.binary_search(path).is_err()).count();
        // A list is a choice: what it does not name is no mistake.
        let notes = if count > 0 {
            vec![format!("{count} images of the folder are in no listed couple")]
        } else {
            vec![]
        };
        Ok(Plan { rule: "list".to_owned(), couples, images, single: Vec::new(), notes })
    }

    /// Says what is odd, and which couples there are.
    pub fn tell(&self) {
        if Reporter::if_supervised().is_some() {
            // The supervisor has told it.
            return;
        }
        tell_some(&self.notes, "more such notes");
        let left = |left: &LeftOver| format!("`{}` is left over: {}", left.image.display(), left.why);
        tell_some(&self.single.iter().map(left).collect::<Vec<_>>(), "more images are left over");
        for couple in &self.couples {
            let [first, second] = couple.images.each_ref().map(|path| file_name(path));
            log::debug!("couple `{}`: `{first}` and `{second}`", couple.name);
        }
    }

    /// `7 images, ` … `, 1 left over: im1-2, im5-6`
    pub fn announce(&self, couples: &str) {
        let mut text = format!("{} images, {couples}", self.images.len());
        if !self.single.is_empty() {
            text.push_str(&format!(", {} left over", self.single.len()));
        }
        say(&text);
        log::info!("{text}");
        let names: Vec<&str> = self.couples.iter().map(|couple| couple.name.as_str()).collect();
        let text = match &names[..] {
            [first, second, _, .., last] if names.len() > 4 => format!("{first}, {second}, … {last}"),
            names => names.join(", "),
        };
        say(&format!("couples: {text}"));
    }
}

fn tell_some(lines: &[String], more: &str) {
    for (at, line) in lines.iter().enumerate() {
        if at < TOLD { log::warn!("{line}") } else { log::info!("{line}") }
    }
    if lines.len() > TOLD {
        log::warn!("{} {more}: see the log", lines.len() - TOLD);
    }
}
