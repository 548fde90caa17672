//! The works that topologies in TOML files are made of.
//!
//! The tasks of the program are fixed graphs. Whoever wants another one writes it in a file, with these works:
//!
//! ```text
//! list images ► paths ► read image ► images ► filter ► images ► save image
//! list couples ► couples ► read couple ► images ► filter couple ► images ► measure ► fields ► save field
//! ```
//!
//! Results are written by [`write_atomic`]: a file is whole or absent. A file that is there is written anew. There are
//! no manifests, so that `--complete` does not go on with such results.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use terzetto_executor::{
    BoxError, Key,
    graph::WorkLibrary,
    results::{file_name, write_atomic},
};
use terzetto_kernels::{
    Image, MultipassParams, PivResult, encode_png16,
    preprocess::{Filter, Preprocessor},
    read_image,
};

use super::{PlanPool, Preprocessing, Task, check_size, field_file, image_key, safe_name, size};
use crate::{
    params::PivSection,
    results::format_csv,
    series::{CoupleRule, IndexRange, list_images, make_couples, select},
};

/// The works, with what they take, give and are told. A test compares this list with [`works`].
pub const WORKS: [(&str, &str); 9] = [
    (
        "list images",
        "gives the paths of images. path: a folder or a pattern; range: numbers, such as \"10:20\"",
    ),
    ("read image", "takes a path, gives an image"),
    ("filter", "takes and gives an image. filters: as in the section [preprocess] of a file of parameters"),
    ("save image", "takes an image, writes it as PNG of 16 bits. folder"),
    (
        "list couples",
        "gives the paths of couples. path, range; couples: the rule, as of `terzetto piv --couples`",
    ),
    ("read couple", "takes the paths of a couple, gives a couple of images"),
    ("filter couple", "takes and gives a couple of images. filters"),
    ("measure", "takes a couple of images, gives a field. The keys of the section [piv], without mask"),
    ("save field", "takes a field, writes it as CSV. folder"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListImages {
    path: PathBuf,
    #[serde(default)]
    range: IndexRange,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListCouples {
    path: PathBuf,
    #[serde(default)]
    range: IndexRange,
    #[serde(default)]
    couples: CoupleRule,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filters {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntoFolder {
    folder: PathBuf,
}

type Couple = [PathBuf; 2];

/// Two images, and their files.
struct CoupleOfImages {
    paths: Couple,
    images: [Image; 2],
}

/// A field, and what it was made of.
struct Field {
    paths: Couple,
    params: Arc<MultipassParams>,
    result: PivResult,
}

/// The works of the program. Relative paths in their parameters are relative to `base`.
///
/// ```
/// use std::path::Path;
/// use terzetto_program::pipelines::works;
///
/// let text = "name = \"nothing\"\n[[work]]\nname = \"read imaeg\"\nfrom = \"paths\"";
/// let error = works(Path::new("")).topology(text).map(|_| ()).unwrap_err().to_string();
/// assert!(error.contains("is `read image` meant?"), "{error}");
/// ```
pub fn works(base: &Path) -> WorkLibrary {
    let mut library = WorkLibrary::new();
    let within = |path: PathBuf, base: &Path| base.join(path);

    let folder = base.to_owned();
    library.source("list images", move |ListImages { path, range }: ListImages| {
        let images = select(list_images(&within(path, &folder))?, range)?;
        Ok(images.into_iter().map(|path| (image_key(&path), path)))
    });
    library.io("read image", |(): ()| Ok(|_: &Key, path: PathBuf| Ok(read_image(&path)?)));
    library.cpu("filter", |Filters { filters }: Filters| {
        check_filters(&filters)?;
        let preprocessor = Preprocessing { filters, ..Preprocessing::default() }.build()?;
        Ok(move |_: &Key, mut image: Image| {
            preprocessor.filter(&mut image)?;
            Ok(image)
        })
    });
    let folder = base.to_owned();
    library.io("save image", move |IntoFolder { folder: into }: IntoFolder| {
        let files = Files::new(within(into, &folder));
        Ok(move |key: &Key, image: Image| {
            let path = Path::new(key.as_str());
            let name = file_name(path);
            let name = if name.ends_with(".png") { name } else { format!("{name}.png") };
            files.write(key, &name, path.parent(), &encode_png16(&image)?)
        })
    });

    let folder = base.to_owned();
    library.source("list couples", move |ListCouples { path, range, couples }: ListCouples| {
        let images = select(list_images(&within(path, &folder))?, range)?;
        let made = make_couples(&images, couples)?;
        Ok(made.couples.into_iter().map(|couple| (couple.name, couple.images)))
    });
    library.io("read couple", |(): ()| {
        Ok(|_: &Key, paths: Couple| {
            let images = [read_image(&paths[0])?, read_image(&paths[1])?];
            check_size(&format!("`{}`", paths[1].display()), size(&images[0]), size(&images[1]))?;
            Ok(CoupleOfImages { paths, images })
        })
    });
    library.cpu("filter couple", |Filters { filters }: Filters| {
        check_filters(&filters)?;
        let preprocessor = Preprocessing { filters, ..Preprocessing::default() }.build()?;
        Ok(move |_: &Key, mut couple: CoupleOfImages| {
            couple.images.iter_mut().try_for_each(|image| preprocessor.filter(image))?;
            Ok(couple)
        })
    });
    library.cpu("measure", |section: PivSection| {
        if section.mask.is_some() {
            return Err("params.mask: it is for `terzetto piv` only".into());
        }
        section.validate().map_err(|invalid| format!("params.{}: {}", invalid.key, invalid.problem))?;
        let params = Arc::new(MultipassParams::from(&section));
        let plans = PlanPool::new((*params).clone());
        Ok(move |_: &Key, CoupleOfImages { paths, images }: CoupleOfImages| {
            let result = plans.compute(&images[0], &images[1], None)?;
            Ok(Field { paths, params: params.clone(), result })
        })
    });
    let folder = base.to_owned();
    library.io("save field", move |IntoFolder { folder: into }: IntoFolder| {
        let files = Files::new(within(into, &folder));
        Ok(move |couple: &Key, Field { paths, params, result }: Field| {
            let text = format_csv(&field_file(Task::Piv, couple, &paths, &params, &result));
            let name = format!("{}.csv", Task::Piv.file_stem(couple));
            files.write(couple, &name, paths[0].parent(), text.as_bytes())
        })
    });
    library
}

/// An error now, and not one of every image later.
fn check_filters(filters: &[Filter]) -> Result<(), BoxError> {
    Preprocessor::new(filters).map_err(|error| format!("params.filters: {error}"))?;
    Ok(())
}

/// Files of one folder, each of another item.
struct Files {
    folder: PathBuf,
    written: Mutex<HashMap<String, Key>>,
}

impl Files {
    fn new(folder: PathBuf) -> Files {
        Files { folder, written: Mutex::default() }
    }

    /// Writes a file of an item that was made of files in another folder.
    fn write(&self, key: &Key, name: &str, made_of: Option<&Path>, bytes: &[u8]) -> Result<(), BoxError> {
        let name = safe_name(name);
        fs::create_dir_all(&self.folder)
            .map_err(|error| format!("cannot make the folder `{}`: {error}", self.folder.display()))?;
        if made_of.is_some_and(|folder| is_same(folder, &self.folder)) {
            let folder = self.folder.display();
            return Err(
                format!("results cannot go into the images' folder `{folder}`: name another one").into()
            );
        }
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = written.insert(name.clone(), key.clone()).filter(|other| other != key) {
            return Err(format!("`{name}` is written by `{other}`, too: give them two folders").into());
        }
        drop(written);
        Ok(write_atomic(&self.folder.join(name), bytes)?)
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_work_is_described() {
        let mut described = WORKS.map(|(name, _)| name);
        described.sort_unstable();
        assert_eq!(works(Path::new("")).names().collect::<Vec<_>>(), described);
    }
}
