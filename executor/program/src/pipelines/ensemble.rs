//! One field of all couples of a series: their correlations are added up (Meinhart, Wereley and Santiago 2000).
//!
//! ```text
//! list ► couples ► compute (cpu) ► fields ► draw (cpu) ► pages ► save (io)
//! ```
//!
//! It is one item, which reads the images once for each pass. The memory is that of one couple and of a correlation map
//! for each window, however long the series is.

use std::{collections::HashMap, sync::Arc};

use terzetto_executor::{BoxError, Key, Topology, results::Store};
use terzetto_kernels::{Image, PivError};

use super::{
    PivSeries, PlanPool, check_size,
    piv::save_fields,
    read_image_from,
    result_files::{ComputedField, FileContents},
    size,
};
use crate::series::Couple;

/// The name of the item, and the end of the names of its files: `piv_ensemble.csv`.
pub const ENSEMBLE: &str = "ensemble";

/// The topology that measures one field of all couples of a series. The mask of the first couple counts for all.
pub fn ensemble(series: PivSeries) -> Topology {
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
    let mut topology = Topology::new(ENSEMBLE);
    let lists = topology.queue::<Vec<Couple>>("couples");
    let fields = topology.queue::<ComputedField>("fields");
    let images = couples.iter().flat_map(|couple| couple.images.clone()).collect();
    let sources = Arc::new(HashMap::from([(Key::from(ENSEMBLE), images)]));
    let item = (!couples.is_empty()).then_some((ENSEMBLE, couples));
    topology.source("list", &lists, item);
    let (plans, reader) = (PlanPool::new(params.clone()), store.clone());
    topology.cpu("compute", &lists).to(&fields).each(move |name, couples| {
        let preprocessor = preprocessing.clone().build()?;
        let read = |path| -> Result<Image, BoxError> {
            let mut image = read_image_from(&reader, path)?;
            preprocessor.apply(&mut image)?;
            Ok(image)
        };
        let first = couples.first().ok_or("there is no couple")?;
        let image = read(&first.images[0])?;
        let size = size(&image);
        let mut plan = plans.make(size)?;
        let mask = masks.of(&first.name, size)?;
        if let Some(mask) = &mask {
            check_size("the mask", size, mask.size())?;
        }
        plan.set_mask(mask)?;
        let result = plan.compute_ensemble(couples.len(), |index| {
            let paths = &couples[index].images;
            let images = [read(&paths[0])?, read(&paths[1])?];
            for (path, image) in paths.iter().zip(&images) {
                check_size(&format!("`{}`", path.display()), size, super::size(image))?;
            }
            Ok::<_, EnsembleError>(images)
        });
        let result = result.map_err(|error| error.0)?;
        if let Some(field) = result.last() {
            validity.add(name.as_str(), field);
        }
        Ok(ComputedField { result, image: Arc::new(image) })
    });
    let contents = FileContents { task, params, scale, params_toml, formats, plots };
    save_fields(&mut topology, &fields, contents, &store, sources);
    topology
}

/// What goes wrong while couples are read and added.
struct EnsembleError(BoxError);

impl From<PivError> for EnsembleError {
    fn from(error: PivError) -> EnsembleError {
        EnsembleError(error.into())
    }
}

impl From<BoxError> for EnsembleError {
    fn from(error: BoxError) -> EnsembleError {
        EnsembleError(error)
    }
}
