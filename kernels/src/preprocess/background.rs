//! Taking a background off.

use crate::{Image, PivError};

/// Subtracts a background, such as the minimum or the mean of a series; what would be negative becomes 0.
///
/// ```
/// use terzetto_kernels::{Image, preprocess::subtract};
/// let mut image = Image::new(3, 1, vec![10.0, 20.0, 5.0])?;
/// subtract(&mut image, &Image::new(3, 1, vec![8.0, 8.0, 8.0])?)?;
/// assert_eq!(image.data(), [2.0, 12.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`PivError::Size`] if the sizes differ.
pub fn subtract(image: &mut Image, background: &Image) -> Result<(), PivError> {
    check_size(background, image)?;
    for (value, background) in image.data_mut().iter_mut().zip(background.data()) {
        *value = (*value - background).max(0.0);
    }
    Ok(())
}

/// An error if `image` has not the size of `first`.
pub(super) fn check_size(first: &Image, image: &Image) -> Result<(), PivError> {
    let size = |image: &Image| (image.width(), image.height());
    let (expected, found) = (size(first), size(image));
    if expected == found { Ok(()) } else { Err(PivError::Size { expected, found }) }
}
