//! Particle image velocimetry on a series of images: the displacement between the two images of
//! each couple, as files of numbers and pictures.
//!
//! ```text
//! list couples ─┬► paths ► read image (io) ► [raw images ► preprocess (cpu) ►] images ─┐
//!               └► groups ───────────────────────────────► make couples (join) ► couples ► compute (cpu)
//!                                                            ► fields ► draw (cpu) ► pages ► save (io)
//! ```
//!
//! Each image is read and prepared once, also when several couples share it. Paths are listed in the order in
//! which couples want them, which keeps the join's memory at two images. Background-oriented schlieren is the same
//! with couples that share their first image, the reference.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use terzetto_kernels::{Image, MultipassParams, multipass::Mask};

use super::{
    Plans, Prepare, image_key, plain, read_stored_image,
    result_files::{Files, Measured, Pages},
    size,
};
use crate::{
    params::{Format, PlotKind},
    series::Couple,
};
use terzetto_executor::{
    BoxError, Key, Queue, Topology,
    results::{MadeWith, Store, Wanted},
};

/// What displacements are measured for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Particles that move from the first image of a couple to the second.
    #[default]
    Piv,
    /// A background that seems to move from a reference to each image.
    Bos,
}

impl Task {
    /// The name of the topology, and the start of its files' names.
    pub fn name(self) -> &'static str {
        match self {
            Task::Piv => "piv",
            Task::Bos => "bos",
        }
    }

    /// What an item is.
    pub fn noun(self) -> &'static str {
        match self {
            Task::Piv => "couple",
            Task::Bos => "image",
        }
    }

    /// The name of a couple's results, without ending: `piv_im1-2`. It is the name of its manifest, too.
    pub fn file_stem(self, couple: &Key) -> String {
        format!("{}_{}", self.name(), plain(couple.as_str()))
    }

    /// A couple's files.
    pub fn wanted(self, couple: &Couple, formats: &[Format], plots: &[PlotKind]) -> Wanted {
        let item = self.file_stem(&couple.name);
        let tables = formats.iter().map(|format| format!("{item}.{}", format.ending()));
        let files = tables.chain(plots.iter().map(|plot| format!("{item}{}", plot.suffix()))).collect();
        Wanted { item, files, inputs: couple.images.to_vec() }
    }
}

/// What is to be computed, and where results go.
#[derive(Clone, Debug)]
pub struct PivSeries {
    /// What for.
    pub task: Task,
    /// The couples; their names must be unique, since files are named after them.
    pub couples: Vec<Couple>,
    /// What is done to each image first.
    pub prepare: Prepare,
    /// How displacements are computed.
    pub params: MultipassParams,
    /// Which pixels count; none: all of them.
    pub mask: Option<Mask>,
    /// The folder for the results; it must exist.
    pub folder: PathBuf,
    /// The files of numbers.
    pub formats: Vec<Format>,
    /// The pictures.
    pub plots: Vec<PlotKind>,
    /// All parameters as TOML, for files that keep them.
    pub record: String,
    /// What the results' manifests say of program and parameters.
    pub made_with: MadeWith,
}

impl PivSeries {
    /// Couples computed with these parameters: a table and a picture of each, nothing else.
    pub fn new(couples: Vec<Couple>, params: MultipassParams, folder: PathBuf) -> PivSeries {
        PivSeries {
            task: Task::Piv,
            couples,
            prepare: Prepare::default(),
            params,
            mask: None,
            folder,
            formats: vec![Format::Csv],
            plots: vec![PlotKind::Vectors],
            record: String::new(),
            made_with: MadeWith::new(Task::Piv.name()),
        }
    }
}

/// The topology that computes a series. Items that reach its end are couples, under their names.
pub fn piv(series: PivSeries) -> Topology {
    let PivSeries { task, couples, prepare, params, mask, folder, formats, plots, record, made_with } =
        series;
    let store = Arc::new(Store::new(folder, made_with));
    let mut topology = Topology::new(task.name());
    let groups = topology.queue::<[Key; 2]>("couples of paths");
    let paths = topology.queue::<PathBuf>("paths");
    let pairs = topology.queue::<[Arc<Image>; 2]>("couples of images");
    let fields = topology.queue::<Measured>("fields");
    let pages = topology.queue::<Files>("pages");

    let sources: Sources =
        couples.iter().map(|couple| (couple.name.clone(), couple.images.clone())).collect();
    let sources = Arc::new(sources);
    topology.one_shot("list couples", (), (groups.clone(), paths.clone()), move |(), (groups, paths)| {
        let mut listed = HashSet::new();
        let mut names = HashSet::new();
        for Couple { name, images } in couples {
            if !names.insert(plain(name.as_str())) {
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
    let images = read_images(&mut topology, &paths, prepare, &store);
    topology.join("make couples", &groups, &images).to(&pairs);
    let plans = Plans::new(params.clone(), mask);
    let files = sources.clone();
    topology.cpu("compute", &pairs).to(&fields).each(move |couple, pair| {
        let [first, second] = &pair;
        check_sizes(&files, couple, first, second)?;
        let result = plans.compute(first, second)?;
        let image = first.clone();
        Ok(Measured { result, image })
    });
    let contents = Pages { task, params, record, formats, plots };
    let images_of = sources.clone();
    topology
        .cpu("draw", &fields)
        .to(&pages)
        .each(move |couple, measured| contents.files(couple, &images_of[couple], &measured));
    topology.io("save", &pages).each(move |couple, files| {
        let stem = task.file_stem(couple);
        let files: Vec<_> = files.into_iter().map(|(rest, bytes)| (format!("{stem}{rest}"), bytes)).collect();
        Ok(store.save(&stem, &files, &sources[couple])?)
    });
    topology
}

/// Adds the works that read images and prepare them; preparing is a work of its own only if there is something to
/// do.
fn read_images(
    topology: &mut Topology,
    paths: &Queue<PathBuf>,
    prepare: Prepare,
    store: &Arc<Store>,
) -> Queue<Arc<Image>> {
    let store = store.clone();
    let images = topology.queue::<Arc<Image>>("images");
    if prepare.is_empty() {
        topology
            .io("read image", paths)
            .to(&images)
            .each(move |_, path| Ok(Arc::new(read_stored_image(&store, &path)?)));
        return images;
    }
    let prepared = prepare.ready(topology);
    let raw = topology.queue::<Image>("raw images");
    topology.io("read image", paths).to(&raw).each(move |_, path| Ok(read_stored_image(&store, &path)?));
    topology.cpu("preprocess", &raw).to(&images).each(move |_, mut image| {
        prepared.apply(&mut image)?;
        Ok(Arc::new(image))
    });
    images
}

/// The files of each couple.
type Sources = HashMap<Key, [PathBuf; 2]>;

fn check_sizes(sources: &Sources, couple: &Key, first: &Image, second: &Image) -> Result<(), BoxError> {
    if size(first) == size(second) {
        return Ok(());
    }
    let tell = |index: usize, image: &Image| {
        let path = sources.get(couple).map_or(Path::new(""), |paths| &paths[index]);
        format!("`{}` has {} x {}", path.display(), image.width(), image.height())
    };
    let (first, second) = (tell(0, first), tell(1, second));
    Err(format!("the images differ in size: {first}, {second} pixels").into())
}
