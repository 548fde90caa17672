//! Statistics of a series: each pixel's mean, standard deviation, minimum and maximum.
//!
//! ```text
//! look at size
//! list ► paths ► read image (io) ► images ► add (cpu) ─┬► added
//!                                                      └► marks ► save (global, at the end)
//! ```
//!
//! The memory is that of one set of statistics, however long the series is.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use terzetto_executor::{
    BoxError, Moment, Topology,
    results::{ExpectedItem, MadeWith, Store},
};
use terzetto_kernels::{
    Image, encode_png16,
    output::netcdf::{Dataset, Values, Variable},
    preprocess::Statistics,
    read_image,
};

use super::{check_size, image_key, read_image_from, size};

/// The files of the statistics, in the order in which they are written. The images have 16 bits and are rounded to
/// whole counts. The last file has all numbers, unrounded.
pub const MEAN_FILES: [&str; 5] = ["mean.png", "std.png", "min.png", "max.png", "mean.nc"];

/// What [`mean`] computes, and where the results go.
#[derive(Clone, Debug)]
pub struct MeanSeries {
    /// The images.
    pub images: Vec<PathBuf>,
    /// The folder for the results, which must exist.
    pub folder: PathBuf,
    /// All parameters as TOML. `mean.nc` keeps them.
    pub params_toml: String,
    /// What the results are made with, for their manifest.
    pub made_with: MadeWith,
}

/// The files of the statistics, and the images that they are made of.
pub fn expected_mean(images: &[PathBuf]) -> ExpectedItem {
    ExpectedItem {
        item: MEAN.to_owned(),
        files: MEAN_FILES.map(str::to_owned).to_vec(),
        inputs: images.to_vec(),
    }
}

const MEAN: &str = "mean";

/// The attribute with the number of images.
const IMAGES: &str = "images";

/// The statistics so far, and the image that has set their size. It is the first one in order.
type StatisticsSoFar = Option<(Statistics, PathBuf)>;

/// The topology that makes the statistics of a series. Items that arrive are images, under their paths.
pub fn mean(series: MeanSeries) -> Topology {
    let MeanSeries { images, folder, params_toml, made_with } = series;
    let store = Arc::new(Store::new(folder, made_with));
    let (reader, all) = (store.clone(), images.clone());
    let mut topology = Topology::new("mean");
    let paths = topology.queue::<PathBuf>("paths");
    let read = topology.queue::<(PathBuf, Image)>("images");
    let added = topology.results::<()>("added");
    let marks = topology.queue::<()>("marks");
    let gathered = Arc::new(Mutex::new(StatisticsSoFar::None));
    let (first, listed) = (gathered.clone(), images.clone());
    topology.one_shot("look at size", (), (), move |(), ()| {
        // Images come in any order. An odd image of another size must not set the size of all.
        let mut readable = listed.into_iter().filter_map(|path| Some((read_image(&path).ok()?, path)));
        *lock(&first) =
            readable.next().map(|(image, path)| (Statistics::new(image.width(), image.height()), path));
        Ok(())
    });
    topology.source("list images", &paths, images.into_iter().map(|path| (image_key(&path), path)));
    topology.io("read image", &paths).to(&read).each(move |_, path| {
        let image = read_image_from(&reader, &path)?;
        Ok((path, image))
    });
    let sum = gathered.clone();
    topology.cpu("add", &read).to((&added, &marks)).each(move |_, (path, image)| {
        let mut gathered = lock(&sum);
        let (width, height) = size(&image);
        let (statistics, first) =
            gathered.get_or_insert_with(|| (Statistics::new(width, height), path.clone()));
        check_size(
            &format!("unlike `{}`, `{}`", first.display(), path.display()),
            statistics.size(),
            (width, height),
        )?;
        statistics.add(&image)?;
        Ok(((), ()))
    });
    topology.global("save", &marks, (), move |marks, (), moment| {
        marks.drain();
        match &*lock(&gathered) {
            Some((statistics, _)) if moment == Moment::End && statistics.count() > 0 => {
                save(statistics, &store, &params_toml, &all)
            }
            _ => Ok(()),
        }
    });
    topology
}

fn lock(gathered: &Mutex<StatisticsSoFar>) -> MutexGuard<'_, StatisticsSoFar> {
    // Nothing panics under the lock, so a poisoned value is whole, too.
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
}

fn save(statistics: &Statistics, store: &Store, params_toml: &str, all: &[PathBuf]) -> Result<(), BoxError> {
    let images = [
        ("mean", statistics.mean()),
        ("std", statistics.standard_deviation()),
        ("min", statistics.minimum()),
        ("max", statistics.maximum()),
    ];
    let mut files = Vec::new();
    for (name, image) in &images {
        files.push((format!("{name}.png"), encode_png16(image)?));
    }
    files.push(("mean.nc".to_owned(), dataset(&images, statistics.count(), params_toml).encode()?));
    // If an image could not be read, these are not the statistics of the series. Then they have no manifest.
    let is_whole = statistics.count() == all.len() as u64;
    match is_whole {
        true => store.save(MEAN, &files, all)?,
        false => store.save_incomplete(MEAN, &files)?,
    }
    Ok(())
}

fn dataset(images: &[(&str, Image)], count: u64, params_toml: &str) -> Dataset {
    let text = |name: &str, value: &str| (name.to_owned(), Values::from(value));
    let attributes = vec![
        text("Conventions", "CF-1.8"),
        text("title", "Each pixel's statistics over a series of images"),
        text("source", crate::PROGRAM),
        text("history", &format!("{}: statistics of {count} images", crate::PROGRAM)),
        (IMAGES.to_owned(), Values::Doubles(vec![count as f64])),
        text("parameters", params_toml),
    ];
    let mut data = Dataset { attributes, ..Dataset::default() };
    let (width, height) = images.first().map_or((0, 0), |(_, image)| size(image));
    let dimensions = vec![data.add_dimension("y", height), data.add_dimension("x", width)];
    for (name, image) in images {
        data.variables.push(Variable {
            name: (*name).to_owned(),
            dimensions: dimensions.clone(),
            attributes: vec![
                text("units", "1"),
                text("long_name", &format!("{name} of the counts of a pixel")),
            ],
            values: Values::Floats(image.data().to_vec()),
        });
    }
    data
}
