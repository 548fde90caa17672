//! Mean, standard deviation and extremes of a series, image by image.

use crate::{Image, PivError};

/// Gathers the mean, the standard deviation, the minimum and the maximum of each pixel over a series of any length
/// (Welford 1962, *Technometrics* 4, 419-420: without the cancellation of sums of squares).
///
/// ```
/// use terzetto_kernels::{Image, preprocess::Statistics};
/// let mut statistics = Statistics::new(8, 8);
/// for value in [1.0, 2.0, 3.0] {
///     statistics.add(&Image::from_fn(8, 8, |_, _| value))?;
/// }
/// assert_eq!(statistics.count(), 3);
/// assert_eq!(statistics.mean().get(0, 0), Some(2.0));
/// assert_eq!(statistics.standard_deviation().get(0, 0), Some(1.0));
/// assert_eq!((statistics.minimum().get(0, 0), statistics.maximum().get(0, 0)), (Some(1.0), Some(3.0)));
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Statistics {
    width: usize,
    height: usize,
    count: u64,
    /// In double precision: a million images of 16 bits leave no digit of single precision.
    mean: Vec<f64>,
    squares: Vec<f64>,
    minimum: Vec<f32>,
    maximum: Vec<f32>,
}

impl Statistics {
    /// Nothing gathered yet, for images of `width` by `height` px.
    pub fn new(width: usize, height: usize) -> Statistics {
        let zeros = vec![0.0; width * height];
        let all = |value| vec![value; width * height];
        let (minimum, maximum) = (all(f32::INFINITY), all(f32::NEG_INFINITY));
        Statistics { width, height, count: 0, mean: zeros.clone(), squares: zeros, minimum, maximum }
    }

    /// Adds an image.
    ///
    /// # Errors
    /// [`PivError::Size`] if it has another size.
    pub fn add(&mut self, image: &Image) -> Result<(), PivError> {
        let (expected, found) = ((self.width, self.height), (image.width(), image.height()));
        if expected != found {
            return Err(PivError::Size { expected, found });
        }
        self.count += 1;
        let share = 1.0 / self.count as f64;
        for ((mean, squares), &value) in self.mean.iter_mut().zip(&mut self.squares).zip(image.data()) {
            let distance = f64::from(value) - *mean;
            *mean += distance * share;
            *squares += distance * (f64::from(value) - *mean);
        }
        self.widen(image.data(), image.data());
        Ok(())
    }

    /// Adds what another worker gathered of other images of the series.
    ///
    /// # Errors
    /// [`PivError::Size`] if its images have another size.
    pub fn merge(&mut self, other: &Statistics) -> Result<(), PivError> {
        let (expected, found) = ((self.width, self.height), (other.width, other.height));
        if expected != found {
            return Err(PivError::Size { expected, found });
        }
        let count = (self.count + other.count) as f64;
        if other.count == 0 {
            return Ok(());
        }
        let (share, weight) = (other.count as f64 / count, self.count as f64 * other.count as f64 / count);
        let theirs = other.mean.iter().zip(&other.squares);
        for ((mean, squares), (their_mean, their_squares)) in
            self.mean.iter_mut().zip(&mut self.squares).zip(theirs)
        {
            let distance = their_mean - *mean;
            *mean += distance * share;
            *squares += their_squares + distance * distance * weight;
        }
        self.count += other.count;
        self.widen(&other.minimum, &other.maximum);
        Ok(())
    }

    fn widen(&mut self, low: &[f32], high: &[f32]) {
        self.minimum.iter_mut().zip(low).for_each(|(value, low)| *value = value.min(*low));
        self.maximum.iter_mut().zip(high).for_each(|(value, high)| *value = value.max(*high));
    }

    /// Width and height of the images, px.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// How many images were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of each pixel; 0 without an image.
    pub fn mean(&self) -> Image {
        self.image(|index| self.mean[index])
    }

    /// The standard deviation of each pixel, of a sample (divided by one less than the count); 0 with fewer than two
    /// images.
    pub fn standard_deviation(&self) -> Image {
        let divisor = self.count.saturating_sub(1).max(1) as f64;
        self.image(|index| (self.squares[index] / divisor).sqrt())
    }

    /// The smallest value of each pixel; 0 without an image.
    pub fn minimum(&self) -> Image {
        self.image(|index| if self.count == 0 { 0.0 } else { self.minimum[index].into() })
    }

    /// The largest value of each pixel; 0 without an image.
    pub fn maximum(&self) -> Image {
        self.image(|index| if self.count == 0 { 0.0 } else { self.maximum[index].into() })
    }

    fn image(&self, value: impl Fn(usize) -> f64) -> Image {
        Image::from_fn(self.width, self.height, |x, y| value(y * self.width + x) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_merged_equal_the_whole() {
        let mut rng = fastrand::Rng::with_seed(7);
        let images: Vec<Image> = (0..9).map(|_| Image::from_fn(6, 5, |_, _| 60_000.0 + rng.f32())).collect();
        let gather = |images: &[Image]| {
            let mut statistics = Statistics::new(6, 5);
            images.iter().for_each(|image| statistics.add(image).unwrap());
            statistics
        };
        let whole = gather(&images);
        let mut merged = gather(&images[..4]);
        merged.merge(&gather(&images[4..])).unwrap();
        merged.merge(&Statistics::new(6, 5)).unwrap();
        for (a, b) in whole.squares.iter().zip(&merged.squares) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        assert_eq!((whole.minimum(), whole.maximum()), (merged.minimum(), merged.maximum()));
        let deviation = whole.standard_deviation().get(2, 2).unwrap();
        assert!((0.1..0.5).contains(&deviation), "{deviation}");
        assert!(merged.add(&Image::from_fn(5, 6, |_, _| 0.0)).is_err());
        assert_eq!(Statistics::new(2, 2).standard_deviation().data(), [0.0; 4]);
    }
}
