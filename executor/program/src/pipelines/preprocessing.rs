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
use terzetto_executor::{BoxError, Topology};

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

    /// The image itself, read and computed. Images of the series that cannot be read, or have another size than the
    /// first one, are told in the log and left out.
    ///
    /// # Errors
    /// None of the images can be read.
    pub fn compute(self) -> Result<Image, BoxError> {
        let (statistic, paths) = match self {
            Background::Image(image) => return Ok(image),
            Background::Series(statistic, paths) => (statistic, paths),
        };
        let mut images = readable(paths);
        let none = "no image for the background can be read";
        if statistic == OverTime::Median {
            // A median needs all images at once.
            let images: Vec<Image> = images.collect();
            return match images.is_empty() {
                true => Err(none.into()),
                false => Ok(over_time(&images.iter().collect::<Vec<_>>(), statistic)?),
            };
        }
        let first = images.next().ok_or(none)?;
        let mut statistics = Statistics::new(first.width(), first.height());
        for image in std::iter::once(first).chain(images) {
            statistics.add(&image)?;
        }
        Ok(if statistic == OverTime::Minimum { statistics.minimum() } else { statistics.mean() })
    }
}

/// The images that can be read and have the size of the first.
fn readable(paths: Vec<PathBuf>) -> impl Iterator<Item = Image> {
    let mut expected = None;
    paths.into_iter().filter_map(move |path| {
        let read = read_image(&path).map_err(BoxError::from).and_then(|image| {
            let expected = *expected.get_or_insert(size(&image));
            check_size(&format!("`{}`", path.display()), expected, size(&image))?;
            Ok(image)
        });
        read.map_err(|error| log::warn!("left out of the background: {error}")).ok()
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_over_the_series() {
        let images: Vec<PathBuf> = (0..10).map(|index| PathBuf::from(index.to_string())).collect();
        let sample = |samples: usize| match Background::of_series(OverTime::Mean, &images, samples) {
            Background::Series(_, paths) => paths,
            Background::Image(_) => panic!("no image was given"),
        };
        assert_eq!(sample(3), ["0", "3", "6"].map(PathBuf::from));
        assert_eq!(sample(99), images);
        let nothing = Background::of_series(OverTime::Median, &[], 5);
        assert!(nothing.compute().is_err_and(|error| error.to_string().contains("no image")));
    }
}
