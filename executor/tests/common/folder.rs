//! Folders that tests make, and what is in them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder that is removed when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("terzetto-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the system's folder for temporary files can be written to");
        Folder(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The names of the files and folders in a folder that end so.
pub fn names(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder of results");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(ending))
        .collect();
    names.sort();
    names
}

/// The folders of the jobs that have written into a folder for results, the oldest first.
pub fn jobs(folder: &Path) -> Vec<PathBuf> {
    let names = names(folder, "").into_iter();
    names.filter(|name| name.starts_with("job_")).map(|name| folder.join(name)).collect()
}
