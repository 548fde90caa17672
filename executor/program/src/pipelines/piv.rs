//! Displacements in couples of images (particle image velocimetry), as files of numbers and pictures.
//!
//! ```text
//! list couples ─┬► paths ► read image (io) ► [raw images ► preprocess (cpu) ►] images ─┐
//!               └► groups ───────────────────────────────► make couples (join) ► couples ► compute (cpu)
//!                                                            ► fields ► draw (cpu) ► pages ► save (io)
//! ```
//!
//! Each image is read and prepared once, even if several couples share it. Paths are listed in the order in which
//! couples want them. So the join holds two images only. Background-oriented schlieren (BOS) is the same, with couples
//! that share their first image, the reference.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use terzetto_executor::{
    BoxError, Key, Queue, Topology,
    results::{ExpectedItem, MadeWith, Store},
};
use terzetto_kernels::{Image, MultipassParams, fields::Scale};

use super::{
    PlanPool, Preprocessing, Validity, image_key, read_image_from,
    result_files::{ComputedField, FileContents, Files},
    safe_name, size,
};
use crate::{
    masks::Masks,
    params::{Format, PlotKind},
    series::Couple,
};

/// What the couples of images are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Particles move from the first image of a couple to the second.
    #[default]
    Piv,
    /// A background seems to move from a reference to each image.
    Bos,
}

impl Task {
    /// The name of the topology. The names of its files begin with it.
    pub fn name(self) -> &'static str {
        match self {
            Task::Piv => "piv",
            Task::Bos => "bos",
        }
    }

    /// What an item is called.
    pub fn noun(self) -> &'static str {
        match self {
            Task::Piv => "couple",
            Task::Bos => "image",
        }
    }

    /// The name of a couple's files without ending: `piv_im1-2`. It is also the name of its manifest.
    pub fn file_stem(self, couple: &Key) -> String {
        format!("{}_{}", self.name(), safe_name(couple.as_str()))
    }

    /// The files of a couple, and what they are made of.
    pub fn expected_item(self, couple: &Couple, formats: &[Format], plots: &[PlotKind]) -> ExpectedItem {
        let item = self.file_stem(&couple.name);
        let tables = formats.iter().map(|format| format!("{item}.{}", format.ending()));
        let files = tables.chain(plots.iter().map(|plot| format!("{item}{}", plot.suffix()))).collect();
        ExpectedItem { item, files, inputs: couple.images.to_vec() }
    }
}

/// What [`piv`] computes, and where the results go.
#[derive(Clone, Debug)]
pub struct PivSeries {
    /// What the couples are.
    pub task: Task,
    /// The couples. Their names must be unique, because files are named after them.
    pub couples: Vec<Couple>,
    /// What is done to each image first.
    pub preprocessing: Preprocessing,
    /// How displacements are computed.
    pub params: MultipassParams,
    /// Which pixels count.
    pub masks: Masks,
    /// The length of a pixel in metres, and the time between the images of a couple in seconds. `None`: results are in
    /// pixels only.
    pub scale: Option<Scale>,
    /// The folder for the results, which must exist.
    pub folder: PathBuf,
    /// The files of numbers.
    pub formats: Vec<Format>,
    /// The pictures.
    pub plots: Vec<PlotKind>,
    /// All parameters as TOML. Files of results keep them.
    pub params_toml: String,
    /// What the results are made with, for their manifests.
    pub made_with: MadeWith,
    /// Counts the valid vectors. Keep a clone to read it.
    pub validity: Validity,
}

impl PivSeries {
    /// A series with these parameters and without preprocessing. Each couple gives a table and a picture.
    pub fn new(couples: Vec<Couple>, params: MultipassParams, folder: PathBuf) -> PivSeries {
        PivSeries {
            task: Task::Piv,
            couples,
            preprocessing: Preprocessing::default(),
            params,
            masks: Masks::none(),
            scale: None,
            folder,
            formats: vec![Format::Csv],
            plots: vec![PlotKind::Vectors],
            params_toml: String::new(),
            made_with: MadeWith::new(crate::PROGRAM, Task::Piv.name()),
            validity: Validity::default(),
        }
    }
}

/// The topology that measures the displacements of a series. Items that arrive are couples, under their names.
pub fn piv(series: PivSeries) -> Topology {
    let PivSeries {
        task,
        couples,
        preprocessing,
        params,
        masks,
        scale,
        folder,
        formats,
        plots,
        params_toml,
        made_with,
        validity,
    } = series;
    let store = Arc::new(Store::new(folder, made_with));
    let mut topology = Topology::new(task.name());
    let groups = topology.queue::<[Key; 2]>("couples of paths");
    let paths = topology.queue::<PathBuf>("paths");
    let pairs = topology.queue::<[Arc<Image>; 2]>("couples of images");
    let fields = topology.queue::<ComputedField>("fields");

    let sources: Sources =
        couples.iter().map(|couple| (couple.name.clone(), couple.images.to_vec())).collect();
    let sources = Arc::new(sources);
    topology.one_shot("list couples", (), (groups.clone(), paths.clone()), move |(), (groups, paths)| {
        let mut listed = HashSet::new();
        let mut names = HashSet::new();
        for Couple { name, images } in couples {
            if !names.insert(safe_name(name.as_str())) {
                return Err(
                    format!("two couples are called `{name}`, and their files would be the same").into()
                );
            }
            groups.push(name, images.each_ref().map(|path| image_key(path)));
            for path in images {
                if listed.insert(path.clone()) {
                    paths.push(image_key(&path), path);
                }
            }
        }
        Ok(())
    });
    let images = read_images(&mut topology, &paths, preprocessing, &store);
    topology.join("make couples", &groups, &images).to(&pairs);
    let plans = PlanPool::new(params.clone());
    let files = sources.clone();
    topology.cpu("compute", &pairs).to(&fields).each(move |couple, pair| {
        let [first, second] = &pair;
        check_sizes(&files, couple, first, second)?;
        let result = plans.compute(first, second, masks.of(couple, size(first))?)?;
        if let Some(field) = result.last() {
            validity.add(couple.as_str(), field);
        }
        let image = first.clone();
        Ok(ComputedField { result, image })
    });
    let contents = FileContents { task, params, scale, params_toml, formats, plots };
    save_fields(&mut topology, &fields, contents, &store, sources);
    topology
}

/// Adds the works that make files of fields, and write them. `sources` are the images that the files name.
pub(super) fn save_fields(
    topology: &mut Topology,
    fields: &Queue<ComputedField>,
    contents: FileContents,
    store: &Arc<Store>,
    sources: Arc<Sources>,
) {
    let (task, store) = (contents.task, store.clone());
    let pages = topology.queue::<Files>("pages");
    let images_of = sources.clone();
    topology
        .cpu("draw", fields)
        .to(&pages)
        .each(move |couple, measured| contents.files(couple, &images_of[couple], &measured));
    topology.io("save", &pages).each(move |couple, files| {
        let stem = task.file_stem(couple);
        let files: Vec<_> = files.into_iter().map(|(rest, bytes)| (format!("{stem}{rest}"), bytes)).collect();
        Ok(store.save(&stem, &files, &sources[couple])?)
    });
}

/// Adds the works that read images and preprocess them. Preprocessing is a work of its own, if there is something to
/// do.
fn read_images(
    topology: &mut Topology,
    paths: &Queue<PathBuf>,
    preprocessing: Preprocessing,
    store: &Arc<Store>,
) -> Queue<Arc<Image>> {
    let store = store.clone();
    let images = topology.queue::<Arc<Image>>("images");
    if preprocessing.is_empty() {
        topology
            .io("read image", paths)
            .to(&images)
            .each(move |_, path| Ok(Arc::new(read_image_from(&store, &path)?)));
        return images;
    }
    let preprocessor = preprocessing.add_to(topology);
    let raw = topology.queue::<Image>("raw images");
    topology.io("read image", paths).to(&raw).each(move |_, path| read_image_from(&store, &path));
    topology.cpu("preprocess", &raw).to(&images).each(move |_, mut image| {
        preprocessor.apply(&mut image)?;
        Ok(Arc::new(image))
    });
    images
}

/// The images of each couple, or of the ensemble.
pub(super) type Sources = HashMap<Key, Vec<PathBuf>>;

fn check_sizes(sources: &Sources, couple: &Key, first: &Image, second: &Image) -> Result<(), BoxError> {
    if size(first) == size(second) {
        return Ok(());
    }
    let describe = |index: usize, image: &Image| {
        let path = sources.get(couple).map_or(Path::new(""), |paths| &paths[index]);
        format!("`{}` has {} x {}", path.display(), image.width(), image.height())
    };
    let (first, second) = (describe(0, first), describe(1, second));
    Err(format!("the images differ in size: {first}, {second} pixels").into())
}
