//! One image out of many: what a pixel shows most, or least, of the time.

use super::{background::check_size, sliding::middle};
use crate::{Image, PivError};
use serde::{Deserialize, Serialize};

/// What is kept of each pixel's values over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OverTime {
    /// The smallest: the background behind particles that come and go.
    Minimum,
    /// The one in the middle: what stands still, also in noisy images.
    Median,
    /// The mean.
    Mean,
}

/// One image out of images of the same size: a background to [`subtract`](super::subtract), or the temporal filter
/// of a few images around one.
///
/// ```
/// use terzetto_kernels::{Image, preprocess::{OverTime, over_time}};
/// let images = [1.0, 9.0, 2.0].map(|value| Image::from_fn(4, 4, |x, _| value + x as f32));
/// let median = over_time(&images.each_ref(), OverTime::Median)?;
/// assert_eq!(median.row(0), [2.0, 3.0, 4.0, 5.0]);
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
///
/// # Errors
/// [`PivError::Parameter`] without an image, [`PivError::Size`] if sizes differ.
pub fn over_time(images: &[&Image], what: OverTime) -> Result<Image, PivError> {
    PivError::check(!images.is_empty(), "images", images.len(), "at least one image")?;
    let mut out = images[0].clone();
    for image in &images[1..] {
        check_size(&out, image)?;
        let values = out.data_mut().iter_mut().zip(image.data());
        match what {
            OverTime::Minimum => values.for_each(|(value, other)| *value = value.min(*other)),
            OverTime::Mean | OverTime::Median => {}
        }
    }
    let mut series = vec![0.0; images.len()];
    if what != OverTime::Minimum {
        for (index, value) in out.data_mut().iter_mut().enumerate() {
            for (value, image) in series.iter_mut().zip(images) {
                *value = image.data()[index];
            }
            *value = if what == OverTime::Mean {
                (series.iter().map(|&value| f64::from(value)).sum::<f64>() / series.len() as f64) as f32
            } else {
                series.sort_unstable_by(f32::total_cmp);
                middle(&series)
            };
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passing_particle_is_no_background() {
        let frames: Vec<Image> = (0..5)
            .map(|t| Image::from_fn(5, 1, |x, _| if x == t { 200.0 } else { 10.0 + (t % 2) as f32 }))
            .collect();
        let frames: Vec<&Image> = frames.iter().collect();
        let find = |what| over_time(&frames, what).unwrap();
        assert_eq!(find(OverTime::Minimum).data(), [10.0; 5]);
        assert_eq!(find(OverTime::Median).data(), [11.0, 10.0, 11.0, 10.0, 11.0]);
        assert!((find(OverTime::Mean).data()[0] - 48.4).abs() < 1e-4);
        let wide = Image::from_fn(6, 1, |_, _| 0.0);
        assert!(over_time(&[frames[0], &wide], OverTime::Median).is_err());
        assert!(over_time(&[], OverTime::Mean).unwrap_err().to_string().contains("`images`"));
    }
}
