//! What is on the disk for sure: the data and the names that were synced.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

/// The number of a file or folder on its file system.
type FileNumber = (u64, u64);

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder,
    File(FileNumber),
}

type Names = BTreeMap<PathBuf, Entry>;

/// A file, and the data of it that is on the disk.
struct Kept {
    /// It is kept open, so that the system does not give its number to another file.
    file: fs::File,
    data: Vec<u8>,
}

/// The data and names of a folder that are on the disk.
pub(super) struct Image {
    root: PathBuf,
    names: Names,
    files: HashMap<FileNumber, Kept>,
}

fn number(metadata: &fs::Metadata) -> FileNumber {
    (metadata.dev(), metadata.ino())
}

/// The whole content of an open file, wherever its position is.
fn content(file: &fs::File) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut data = vec![0; length];
    file.read_exact_at(&mut data, 0)?;
    Ok(data)
}

/// Everything below a folder.
fn names_below(folder: &Path, names: &mut Names) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_dir() {
            names.insert(path.clone(), Entry::Folder);
            names_below(&path, names)?;
        } else if metadata.is_file() {
            names.insert(path, Entry::File(number(&metadata)));
        } else {
            let text = format!(
                "{path:?} is neither a file nor a folder, so a crash of its disk cannot be simulated"
            );
            return Err(io::Error::new(ErrorKind::Unsupported, text));
        }
    }
    Ok(())
}

fn all_names(root: &Path) -> io::Result<Names> {
    let mut names = Names::new();
    names_below(root, &mut names)?;
    Ok(names)
}

/// What a folder is at one moment.
pub(super) struct Snapshot {
    names: Names,
    data: HashMap<FileNumber, Vec<u8>>,
}

impl Snapshot {
    pub(super) fn of(root: &Path) -> io::Result<Snapshot> {
        let names = all_names(root)?;
        let mut data = HashMap::new();
        for (path, entry) in &names {
            if let Entry::File(number) = entry {
                data.insert(*number, fs::read(path)?);
            }
        }
        Ok(Snapshot { names, data })
    }
}

/// How many bytes the files below a folder have.
pub(super) fn bytes_below(root: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for (path, entry) in all_names(root)? {
        if entry != Entry::Folder {
            sum += fs::metadata(path)?.len();
        }
    }
    Ok(sum)
}

impl Image {
    /// All that is below a folder counts as synced.
    pub(super) fn of(root: &Path) -> io::Result<Image> {
        let mut image = Image { root: root.to_owned(), names: all_names(root)?, files: HashMap::new() };
        let names = image.names.clone();
        image.keep(&names, true)?;
        Ok(image)
    }

    /// Keeps the files of these names open. Their data counts as synced, or none of it does.
    fn keep(&mut self, names: &Names, synced: bool) -> io::Result<()> {
        for (path, entry) in names {
            if let Entry::File(number) = entry
                && !self.files.contains_key(number)
            {
                let file = fs::File::open(path)?;
                let data = if synced { content(&file)? } else { Vec::new() };
                self.files.insert(*number, Kept { file, data });
            }
        }
        Ok(())
    }

    /// The data of a file, or the names in a folder, are on the disk.
    pub(super) fn synced(&mut self, file: &fs::File) -> io::Result<()> {
        let metadata = file.metadata()?;
        let now = all_names(&self.root)?;
        if !metadata.is_dir() {
            let own = now.iter().find(|(_, entry)| **entry == Entry::File(number(&metadata)));
            if let Some((path, _)) = own {
                // The program's own descriptor may not be open for reading.
                let file = fs::File::open(path)?;
                let data = content(&file)?;
                self.files.insert(number(&metadata), Kept { file, data });
            }
            return Ok(());
        }
        let is_it = |path: &Path| fs::metadata(path).is_ok_and(|other| number(&other) == number(&metadata));
        let folder = std::iter::once(&self.root).chain(now.keys()).find(|path| is_it(path)).cloned();
        let Some(folder) = folder else { return Ok(()) };
        let inside = |path: &PathBuf| path.parent() == Some(&folder);
        self.names.retain(|path, _| !inside(path));
        let synced: Names = now.into_iter().filter(|(path, _)| inside(path)).collect();
        self.keep(&synced, false)?;
        self.names.extend(synced);
        Ok(())
    }

    /// Makes the folder what a crash leaves of it, given what it was last. All of that counts as synced then.
    pub(super) fn crash(&mut self, last: &Snapshot, random: &mut fastrand::Rng) -> io::Result<()> {
        let names = if random.bool() { last.names.clone() } else { self.names.clone() };
        let mut left = Vec::new();
        for (path, entry) in names {
            let data = match entry {
                Entry::Folder => None,
                Entry::File(number) => {
                    let kept = self.files.get(&number);
                    let old = kept.map(|kept| kept.data.clone()).unwrap_or_default();
                    let new = match (last.data.get(&number), kept) {
                        (Some(data), _) => data.clone(),
                        // It had no name any more.
                        (None, Some(kept)) => content(&kept.file)?,
                        (None, None) => Vec::new(),
                    };
                    Some(survives(&old, &new, random))
                }
            };
            left.push((path, data));
        }
        for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
        // A folder comes before what is in it. What is in a folder that is lost is lost, too.
        for (path, data) in left {
            if path.parent().is_some_and(Path::is_dir) {
                data.map_or_else(|| fs::create_dir(&path), |data| fs::write(&path, data))?;
            }
        }
        *self = Image::of(&self.root)?;
        Ok(())
    }
}

/// What is left of a file's data: of what is synced, and of what was written last.
fn survives(old: &[u8], new: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(0..3) {
        0 => old.to_vec(),
        1 => new.to_vec(),
        _ => {
            let up_to = random.usize(0..=new.len());
            let rest = old.get(up_to..).unwrap_or_default();
            [&new[..up_to], rest].concat()
        }
    }
}
