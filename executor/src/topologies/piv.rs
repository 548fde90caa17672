//! Particle image velocimetry on a series of images: the displacement between the two images of
//! each couple, as a text file and a picture.
//!
//! ```text
//! list couples ─┬► paths ► read image (io) ► images ─┐
//!               └► groups ──────────────► make couples (join) ► couples ► compute (cpu)
//!                                                 ► fields ► draw (cpu) ► pages ► save (io)
//! ```
//!
//! Each image is read once, also when two couples share it. Paths are listed in the order in which
//! couples want them, which keeps the join's memory at two images.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use terzetto_kernels::{Image, PivParams, PivPlan, VectorField, read_image};

use crate::{
    BoxError, Key, Topology,
    plot::{self, Arrow, Plot},
    results::{FieldFile, Row, format_csv, write_atomic},
    series::Couple,
};

/// What is to be computed, and where results go.
#[derive(Clone, Debug)]
pub struct PivSeries {
    /// The couples; their names must be unique, since files are named after them.
    pub couples: Vec<Couple>,
    /// How displacements are computed.
    pub params: PivParams,
    /// The folder for the results; it must exist.
    pub folder: PathBuf,
    /// Should each field be drawn, too?
    pub plots: bool,
}

/// The name of a couple's results, without ending: `piv_im1-2`.
pub fn file_stem(couple: &Key) -> String {
    // The name of a couple comes from file names; nothing may lead out of the folder.
    format!("piv_{}", couple.as_str().replace(['/', '\\'], "_"))
}

/// The topology that computes a series. Items that reach its end are couples, under their names.
pub fn piv(series: PivSeries) -> Topology {
    let PivSeries { couples, params, folder, plots } = series;
    let mut topology = Topology::new("piv");
    let groups = topology.queue::<[Key; 2]>("couples of paths");
    let paths = topology.queue::<PathBuf>("paths");
    let images = topology.queue::<Arc<Image>>("images");
    let pairs = topology.queue::<[Arc<Image>; 2]>("couples of images");
    let fields = topology.queue::<Measured>("fields");
    let pages = topology.queue::<Page>("pages");

    let sources: Sources =
        couples.iter().map(|couple| (couple.name.clone(), couple.images.clone())).collect();
    let sources = Arc::new(sources);
    topology.one_shot("list couples", (), (groups.clone(), paths.clone()), move |(), (groups, paths)| {
        let mut listed = HashSet::new();
        for Couple { name, images } in couples {
            groups.push(name, images.each_ref().map(|path| image_key(path)));
            for path in images {
                if listed.insert(path.clone()) {
                    paths.push(image_key(&path), path);
                }
            }
        }
        Ok(())
    });
    topology.io("read image", &paths).to(&images).each(|_, path| Ok(Arc::new(read_image(&path)?)));
    topology.join("make couples", &groups, &images).to(&pairs);
    let plans = Plans::new(params.clone());
    let files = sources.clone();
    topology.cpu("compute", &pairs).to(&fields).each(move |couple, pair| {
        let [first, second] = &pair;
        check_sizes(&files, couple, first, second)?;
        let field = plans.compute(first, second)?;
        let image = first.clone();
        Ok(Measured { field, image })
    });
    topology.cpu("draw", &fields).to(&pages).each(move |couple, measured| {
        let table = format_csv(&field_file(couple, &sources[couple], &params, &measured.field));
        let picture = plots.then(|| picture(couple, &params, &measured)).transpose()?;
        Ok(Page { table, picture })
    });
    topology.io("save", &pages).each(move |couple, page| {
        let path = |ending: &str| folder.join(format!("{}.{ending}", file_stem(couple)));
        // The table comes last: where it is, all of the couple is.
        if let Some(picture) = page.picture {
            write_atomic(&path("png"), &picture)?;
        }
        write_atomic(&path("csv"), page.table.as_bytes())?;
        Ok(())
    });
    topology
}

/// The files of each couple.
type Sources = HashMap<Key, [PathBuf; 2]>;

/// A computed field and the image that it is drawn over.
struct Measured {
    field: VectorField,
    image: Arc<Image>,
}

/// The contents of a couple's files.
struct Page {
    table: String,
    picture: Option<Vec<u8>>,
}

/// An image's key is its path, so that errors name the file.
fn image_key(path: &Path) -> Key {
    Key::from(path.display().to_string())
}

fn check_sizes(sources: &Sources, couple: &Key, first: &Image, second: &Image) -> Result<(), BoxError> {
    let size = |image: &Image| (image.width(), image.height());
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

/// Plans ready for use: each worker takes one and puts it back, so that there are as many as are
/// used at once, and none is made twice for one size of image.
struct Plans {
    params: PivParams,
    idle: Mutex<HashMap<(usize, usize), Vec<PivPlan>>>,
}

impl Plans {
    fn new(params: PivParams) -> Plans {
        Plans { params, idle: Mutex::default() }
    }

    fn compute(&self, first: &Image, second: &Image) -> Result<VectorField, BoxError> {
        let size = (first.width(), first.height());
        let idle = self.with_idle(|idle| idle.get_mut(&size).and_then(Vec::pop));
        let mut plan = match idle {
            Some(plan) => plan,
            None => PivPlan::new(&self.params, size.0, size.1)?,
        };
        let field = plan.compute(first, second);
        self.with_idle(|idle| idle.entry(size).or_default().push(plan));
        Ok(field?)
    }

    fn with_idle<R>(&self, f: impl FnOnce(&mut HashMap<(usize, usize), Vec<PivPlan>>) -> R) -> R {
        // Nothing panics while the lock is held, so that a poisoned one is whole, too.
        f(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A field with the comments that its file carries.
pub fn field_file(couple: &Key, images: &[PathBuf; 2], params: &PivParams, field: &VectorField) -> FieldFile {
    let line = |name: &str, value: String| (name.to_owned(), value);
    let header = vec![
        line("vector field", format!("couple {couple}")),
        line("image 0", images[0].display().to_string()),
        line("image 1", images[1].display().to_string()),
        line("program", format!("terzetto {}", env!("CARGO_PKG_VERSION"))),
        line("window", format!("{} px", params.window)),
        line("overlap", format!("{}", params.overlap)),
        line("grid", format!("{} x {} vectors, row by row", field.nx, field.ny)),
        line(
            "x, y",
            "place, px, x to the right, y downwards, centre of the upper left pixel at (0, 0)".to_owned(),
        ),
        line("dx, dy", "displacement from image 0 to image 1, px".to_owned()),
        line("correlation", "height of the correlation peak, 1 at most".to_owned()),
        line("flags", "empty for a valid vector, else what is wrong with it".to_owned()),
    ];
    let rows = field
        .vectors
        .iter()
        .map(|vector| Row {
            x: vector.x,
            y: vector.y,
            dx: vector.dx,
            dy: vector.dy,
            correlation: vector.correlation,
            flags: vector.flags.names().join("+"),
        })
        .collect();
    FieldFile { header, rows }
}

fn picture(couple: &Key, params: &PivParams, measured: &Measured) -> Result<Vec<u8>, BoxError> {
    let Measured { field, image } = measured;
    let arrows: Vec<Arrow> = field
        .vectors
        .iter()
        .map(|vector| Arrow {
            x: vector.x as f32,
            y: vector.y as f32,
            dx: vector.dx as f32,
            dy: vector.dy as f32,
            valid: vector.flags.is_valid(),
        })
        .collect();
    let valid = arrows.iter().filter(|arrow| arrow.valid).count();
    let plot = Plot {
        title: couple.as_str(),
        subtitle: &format!(
            "windows of {} px, overlap {:.0} %  ·  {valid} of {} vectors valid",
            params.window,
            params.overlap * 100.0,
            arrows.len()
        ),
        size: (image.width(), image.height()),
        image: image.data(),
        arrows: &arrows,
    };
    Ok(plot::draw(&plot)?)
}
