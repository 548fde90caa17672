//! What is done to each image before anything is computed of it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use terzetto_kernels::{
    Image,
    preprocess::{Filter, OverTime, Preprocessor, Statistics, over_time, subtract},
    read_image,
};

use super::{check_size, size};
use crate::{BoxError, Topology};

/// What is subtracted from all images.
#[derive(Clone, Debug)]
pub enum Background {
    /// This image.
    Image(Image),
    /// What is made of these images, the pixel over time.
    Series(OverTime, Vec<PathBuf>),
}

impl Background {
    /// A background made of at most `samples` of the series' images, evenly spread.
    pub fn of_series(statistic: OverTime, images: &[PathBuf], samples: usize) -> Background {
        let count = samples.min(images.len());
        // In 128 bits, since the product may be large.
        let at = |index: usize| (index as u128 * images.len() as u128 / count as u128) as usize;
        Background::Series(statistic, (0..count).map(|index| images[at(index)].clone()).collect())
    }

    /// The image itself, read and computed.
    ///
    /// # Errors
    /// An image that cannot be read, or has another size than the first one.
    pub fn compute(self) -> Result<Image, BoxError> {
        let (statistic, paths) = match self {
            Background::Image(image) => return Ok(image),
            Background::Series(statistic, paths) => (statistic, paths),
        };
        if statistic == OverTime::Median {
            // A median needs all images at once.
            let images = paths.iter().map(|path| read_image(path)).collect::<Result<Vec<_>, _>>()?;
            return Ok(over_time(&images.iter().collect::<Vec<_>>(), statistic)?);
        }
        let mut statistics: Option<Statistics> = None;
        for path in &paths {
            let image = read_image(path)?;
            let (width, height) = size(&image);
            let statistics = statistics.get_or_insert_with(|| Statistics::new(width, height));
            check_size(&format!("`{}`", path.display()), statistics.size(), (width, height))?;
            statistics.add(&image)?;
        }
        let statistics = statistics.ok_or("a background of no image")?;
        Ok(if statistic == OverTime::Minimum { statistics.minimum() } else { statistics.mean() })
    }
}

/// What is done to each image.
#[derive(Clone, Debug, Default)]
pub struct Prepare {
    /// What is subtracted first.
    pub background: Option<Background>,
    /// The filters, in order.
    pub filters: Vec<Filter>,
}

impl Prepare {
    /// Is nothing done?
    pub fn is_empty(&self) -> bool {
        self.background.is_none() && self.filters.is_empty()
    }

    /// Makes it ready for the topology's works: a background is made by a one-shot work, before all else.
    pub(super) fn ready(self, topology: &mut Topology) -> Arc<Prepared> {
        let prepared = Arc::new(Prepared::new(self.filters));
        if let Some(background) = self.background {
            let place = prepared.clone();
            topology.one_shot("background", (), (), move |(), ()| place.subtract(background));
        }
        prepared
    }

    /// The same without a topology.
    ///
    /// # Errors
    /// As [`Background::compute`].
    pub fn now(self) -> Result<Prepared, BoxError> {
        let prepared = Prepared::new(self.filters);
        if let Some(background) = self.background {
            prepared.subtract(background)?;
        }
        Ok(prepared)
    }
}

/// Prepares images, in several threads at once.
pub struct Prepared {
    background: OnceLock<Image>,
    filters: Vec<Filter>,
    idle: Mutex<Vec<Preprocessor>>,
}

impl Prepared {
    fn new(filters: Vec<Filter>) -> Prepared {
        Prepared { background: OnceLock::new(), filters, idle: Mutex::default() }
    }

    fn subtract(&self, background: Background) -> Result<(), BoxError> {
        // It is computed once; a second one would change nothing.
        let _ = self.background.set(background.compute()?);
        Ok(())
    }

    /// Subtracts the background.
    ///
    /// # Errors
    /// A background of another size than the image.
    pub fn subtract_background(&self, image: &mut Image) -> Result<(), BoxError> {
        match self.background.get() {
            Some(background) => {
                check_size("the background", size(image), size(background))?;
                Ok(subtract(image, background)?)
            }
            None => Ok(()),
        }
    }

    /// Applies the filters.
    ///
    /// # Errors
    /// A filter's parameter that makes no sense.
    pub fn filter(&self, image: &mut Image) -> Result<(), BoxError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut preprocessor = match taken {
            Some(preprocessor) => preprocessor,
            None => Preprocessor::new(&self.filters)?,
        };
        preprocessor.apply(image);
        idle().push(preprocessor);
        Ok(())
    }

    /// All that is done to an image.
    ///
    /// # Errors
    /// As the parts.
    pub fn apply(&self, image: &mut Image) -> Result<(), BoxError> {
        self.subtract_background(image)?;
        self.filter(image)
    }
}
