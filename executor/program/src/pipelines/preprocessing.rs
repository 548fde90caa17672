//! What is done to each image before anything is measured: a background is subtracted, and filters are applied.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use terzetto_executor::{BoxError, Topology};
use terzetto_kernels::{
    Image,
    calibration::Calibration,
    preprocess::{Filter, OverTime, Preprocessor, Statistics, over_time, subtract},
    read_image,
};

use super::{check_size, size};

/// The image that is subtracted from all images.
#[derive(Clone, Debug)]
pub enum Background {
    /// This image.
    Image(Image),
    /// A statistic of these images, pixel by pixel.
    Series(OverTime, Vec<PathBuf>),
}

impl Background {
    /// A statistic of at most `samples` images, evenly spread over the series.
    pub fn of_series(statistic: OverTime, images: &[PathBuf], samples: usize) -> Background {
        let count = samples.min(images.len());
        // The product may need more than 64 bits.
        let at = |index: usize| (index as u128 * images.len() as u128 / count as u128) as usize;
        Background::Series(statistic, (0..count).map(|index| images[at(index)].clone()).collect())
    }

    /// Makes the image. Images of the series that cannot be read, or that have another size than the first one, are
    /// left out; the log names them.
    ///
    /// # Errors
    /// No image can be read.
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

/// What is done to each image, as a description.
#[derive(Clone, Debug, Default)]
pub struct Preprocessing {
    /// What is subtracted first.
    pub background: Option<Background>,
    /// The filters, in order.
    pub filters: Vec<Filter>,
    /// With what images are dewarped in the end.
    pub calibration: Option<Calibration>,
}

impl Preprocessing {
    /// Is nothing done?
    pub fn is_empty(&self) -> bool {
        self.background.is_none() && self.filters.is_empty() && self.calibration.is_none()
    }

    /// Makes the preprocessor for the works of a topology. A one-shot work makes its background, before all else.
    pub(super) fn add_to(self, topology: &mut Topology) -> Arc<ImagePreprocessor> {
        let preprocessor = Arc::new(ImagePreprocessor::new(self.filters, self.calibration));
        if let Some(background) = self.background {
            let place = preprocessor.clone();
            topology.one_shot("background", (), (), move |(), ()| place.set_background(background));
        }
        preprocessor
    }

    /// Makes the preprocessor at once, without a topology.
    ///
    /// # Errors
    /// As [`Background::compute`].
    pub fn build(self) -> Result<ImagePreprocessor, BoxError> {
        let preprocessor = ImagePreprocessor::new(self.filters, self.calibration);
        if let Some(background) = self.background {
            preprocessor.set_background(background)?;
        }
        Ok(preprocessor)
    }
}

/// Applies a [`Preprocessing`] to images. Several threads may use it at once.
pub struct ImagePreprocessor {
    background: OnceLock<Image>,
    filters: Vec<Filter>,
    calibration: Option<Calibration>,
    idle: Mutex<Vec<Preprocessor>>,
}

impl ImagePreprocessor {
    fn new(filters: Vec<Filter>, calibration: Option<Calibration>) -> ImagePreprocessor {
        ImagePreprocessor { background: OnceLock::new(), filters, calibration, idle: Mutex::default() }
    }

    fn set_background(&self, background: Background) -> Result<(), BoxError> {
        // It cannot fail: the background is set once.
        let _ = self.background.set(background.compute()?);
        Ok(())
    }

    /// Subtracts the background.
    ///
    /// # Errors
    /// The background has another size than the image.
    pub fn subtract_background(&self, image: &mut Image) -> Result<(), BoxError> {
        match self.background.get() {
            Some(background) => {
                check_size("the background", size(image), size(background))?;
                Ok(subtract(image, background)?)
            }
            None => Ok(()),
        }
    }

    /// Applies the filters, and dewarps the image.
    ///
    /// # Errors
    /// A parameter of a filter is not valid; the calibration is for images of another size.
    pub fn filter(&self, image: &mut Image) -> Result<(), BoxError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut preprocessor = match taken {
            Some(preprocessor) => preprocessor,
            None => Preprocessor::new(&self.filters)?,
        };
        preprocessor.apply(image);
        idle().push(preprocessor);
        if let Some(calibration) = &self.calibration {
            check_size(
                "an image for another camera than that of the calibration",
                calibration.size(),
                size(image),
            )?;
            *image = calibration.dewarp(image);
        }
        Ok(())
    }

    /// Subtracts the background and applies the filters.
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
