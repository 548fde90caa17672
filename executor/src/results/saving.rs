//! What to do with results that exist before a run.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What a run does if its folder for results is not empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Saving {
    /// Ask a person.
    #[default]
    Ask,
    /// Leave the folder alone and make a new one: `NAME_1`, `NAME_2`, and so on.
    NewDir,
    /// Compute what is missing or not whole. [`ResultsCheck`](super::ResultsCheck) finds it.
    Complete,
    /// Compute everything again. A file is replaced when the new one is whole.
    Recompute,
}

/// Where results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavingPlan {
    /// The folder.
    pub folder: PathBuf,
    /// Are the results in the folder kept?
    pub complete: bool,
}

impl Saving {
    /// Decides where results go. For [`Saving::Ask`], `ask` is called with the folder. It returns another mode, or
    /// `None` to do nothing.
    ///
    /// # Errors
    ///
    /// The system's error if the folder cannot be listed.
    pub fn plan(
        self,
        folder: &Path,
        ask: &dyn Fn(&Path) -> Option<Saving>,
    ) -> io::Result<Option<SavingPlan>> {
        let plan = |folder: PathBuf, complete| Ok(Some(SavingPlan { folder, complete }));
        match self {
            Saving::Ask if is_empty(folder)? => plan(folder.to_owned(), false),
            Saving::Ask => match ask(folder) {
                None | Some(Saving::Ask) => Ok(None),
                Some(mode) => mode.plan(folder, &|_| None),
            },
            Saving::NewDir if is_empty(folder)? => plan(folder.to_owned(), false),
            Saving::NewDir => plan(fresh(folder), false),
            Saving::Complete => plan(folder.to_owned(), true),
            Saving::Recompute => plan(folder.to_owned(), false),
        }
    }
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// The first `NAME_n` that does not exist.
fn fresh(folder: &Path) -> PathBuf {
    let mut number = 1_u64;
    loop {
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push(format!("_{number}"));
        let path = folder.with_file_name(name);
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_does_what_it_says() -> io::Result<()> {
        let root = std::env::temp_dir().join(format!("terzetto-saving-{}", std::process::id()));
        let folder = root.join("series.piv");
        let never = |_: &Path| -> Option<Saving> { panic!("nobody is asked") };
        let plan = |folder: &Path, complete| Some(SavingPlan { folder: folder.to_owned(), complete });
        assert_eq!(Saving::Ask.plan(&folder, &never)?, plan(&folder, false));
        assert_eq!(Saving::NewDir.plan(&folder, &never)?, plan(&folder, false));
        fs::create_dir_all(&folder)?;
        assert_eq!(Saving::Ask.plan(&folder, &never)?, plan(&folder, false));
        fs::write(folder.join("piv_1-2.csv"), "")?;
        assert_eq!(Saving::Complete.plan(&folder, &never)?, plan(&folder, true));
        assert_eq!(Saving::Recompute.plan(&folder, &never)?, plan(&folder, false));
        let one = root.join("series.piv_1");
        assert_eq!(Saving::NewDir.plan(&folder, &never)?, plan(&one, false));
        fs::create_dir(&one)?;
        assert_eq!(Saving::NewDir.plan(&folder, &never)?, plan(&root.join("series.piv_2"), false));
        assert_eq!(Saving::Ask.plan(&folder, &|_| Some(Saving::Complete))?, plan(&folder, true));
        assert_eq!(Saving::Ask.plan(&folder, &|_| None)?, None);
        fs::remove_dir_all(root)
    }
}
