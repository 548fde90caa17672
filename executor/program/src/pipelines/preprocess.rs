//! Filtered images of a series, as PNG files of 16 bits.
//!
//! ```text
//! list ► paths ► read image (io) ► images ► filter (cpu) ► files ► save (io)
//! ```
//!
//! A filter over time adds `images ► gather windows (global) ► windows` in front of the filter.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    path::PathBuf,
    sync::Arc,
};

use terzetto_executor::{
    BoxError, Key, Topology,
    results::{ExpectedItem, MadeWith, Store, file_name, stem},
};
use terzetto_kernels::{
    Image, encode_png16,
    preprocess::{over_time, subtract},
};

use super::{
    Preprocessing, check_size, image_key, read_image_from, safe_name, size,
    time_windows::{TimeWindow, TimeWindows, neighbours, wanted},
};
use crate::params::TemporalSection;

/// An image and the name of the file that it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// The image.
    pub path: PathBuf,
    /// The name of the new file.
    pub name: String,
}

/// What the images' new files are called: as before, but ending in `.png`. Where two would have the same name, the
/// old ending stays in it.
///
/// ```
/// use std::path::PathBuf;
/// use terzetto_program::pipelines::image_files;
///
/// let names = |images: [&str; 2]| image_files(&images.map(PathBuf::from)).map(|file| file.name).collect::<Vec<_>>();
/// assert_eq!(names(["s/im1.tif", "s/im2.tif"]), ["im1.png", "im2.png"]);
/// assert_eq!(names(["s/im1.tif", "s/im1.bmp"]), ["im1.tif.png", "im1.bmp.png"]);
/// ```
pub fn image_files(images: &[PathBuf]) -> impl Iterator<Item = ImageFile> {
    let stems: HashSet<String> = images.iter().map(|path| stem(path)).collect();
    let unique = stems.len() == images.len();
    images.iter().map(move |path| {
        let name = if unique { stem(path) } else { file_name(path) };
        ImageFile { path: path.clone(), name: format!("{}.png", safe_name(&name)) }
    })
}

/// What [`preprocess`] does, and where the results go.
#[derive(Clone, Debug)]
pub struct PreprocessSeries {
    /// All images of the series.
    pub images: Vec<PathBuf>,
    /// The indices of those that are computed, and the names of their files.
    pub own: Vec<(usize, ImageFile)>,
    /// What is done to single images.
    pub preprocessing: Preprocessing,
    /// The filter over time, between the background and the other filters.
    pub temporal: Option<TemporalSection>,
    /// The folder for the results, which must exist.
    pub folder: PathBuf,
    /// What the results are made with, for their manifests.
    pub made_with: MadeWith,
}

/// The file of an image, and the images that it is made of. With a filter over time, these are its neighbours, too.
pub fn expected_image(
    images: &[PathBuf],
    index: usize,
    file: &ImageFile,
    temporal: Option<&TemporalSection>,
) -> ExpectedItem {
    let inputs = images[neighbours(index, half(temporal), images.len())].to_vec();
    ExpectedItem { item: file.name.clone(), files: vec![file.name.clone()], inputs }
}

/// How many neighbours on each side an image has.
fn half(temporal: Option<&TemporalSection>) -> usize {
    temporal.map_or(0, |temporal| temporal.window / 2)
}

/// The topology that filters a series. Items that arrive are images, under their paths.
pub fn preprocess(series: PreprocessSeries) -> Topology {
    let PreprocessSeries { images, own, preprocessing, temporal, folder, made_with } = series;
    let store = Arc::new(Store::new(folder, made_with));
    let mut topology = Topology::new("preprocess");
    let paths = topology.queue::<PathBuf>("paths");
    let read = topology.queue::<Arc<Image>>("images");
    let files = topology.queue::<Vec<u8>>("files");
    let half = half(temporal.as_ref());
    let names: HashMap<Key, (String, Range<usize>)> = own
        .iter()
        .map(|(index, file)| {
            (image_key(&file.path), (file.name.clone(), neighbours(*index, half, images.len())))
        })
        .collect();
    let own: Vec<usize> = own.into_iter().map(|(index, _)| index).collect();
    let listed: Vec<PathBuf> =
        wanted(&own, half, images.len()).into_iter().map(|index| images[index].clone()).collect();
    let has_background = preprocessing.background.is_some();
    let preprocessor = preprocessing.add_to(&mut topology);

    let reader = store.clone();
    topology.source("list images", &paths, listed.into_iter().map(|path| (image_key(&path), path)));
    topology
        .io("read image", &paths)
        .to(&read)
        .each(move |_, path| Ok(Arc::new(read_image_from(&reader, &path)?)));
    match temporal {
        None => topology.cpu("filter", &read).to(&files).each(move |_, image| {
            let mut image = Arc::unwrap_or_clone(image);
            preprocessor.apply(&mut image)?;
            Ok(encode_png16(&image)?)
        }),
        Some(temporal) => {
            // The background is subtracted before an image meets its neighbours.
            let without_background = if has_background {
                let subtracted = topology.queue::<Arc<Image>>("images without background");
                let preprocessor = preprocessor.clone();
                topology.cpu("subtract background", &read).to(&subtracted).each(move |_, image| {
                    let mut image = Arc::unwrap_or_clone(image);
                    preprocessor.subtract_background(&mut image)?;
                    Ok(Arc::new(image))
                });
                subtracted
            } else {
                read
            };
            let windows = topology.queue::<TimeWindow>("windows");
            let keys = images.iter().map(|path| image_key(path)).collect();
            let mut gathered = TimeWindows::new(keys, &own, half, !has_background);
            topology.global(
                "gather windows",
                &without_background,
                &windows,
                move |images, windows, moment| {
                    gathered.advance(images, windows, moment);
                    Ok(())
                },
            );
            topology.cpu("filter", &windows).to(&files).each(move |_, window| {
                let mut image = in_time(&window, &temporal)?;
                preprocessor.filter(&mut image)?;
                Ok(encode_png16(&image)?)
            });
        }
    }
    topology.io("save", &files).each(move |key, bytes| {
        let (name, inputs) = names.get(key).ok_or("no file is named after this image")?;
        Ok(store.save(name, &[(name.clone(), bytes)], &images[inputs.clone()])?)
    });
    topology
}

/// The image in the middle of a window, filtered over time.
fn in_time(window: &TimeWindow, temporal: &TemporalSection) -> Result<Image, BoxError> {
    let images: Vec<&Image> = window.images.iter().map(|image| &**image).collect();
    let expected = size(images[window.middle]);
    for (image, key) in images.iter().zip(&window.keys) {
        check_size(&format!("its neighbour `{key}`"), expected, size(image))?;
    }
    let outcome = over_time(&images, temporal.statistic)?;
    if !temporal.subtract {
        return Ok(outcome);
    }
    let mut image = images[window.middle].clone();
    subtract(&mut image, &outcome)?;
    Ok(image)
}
