//! Masks: what is no flow, as images or as polygons, one for a whole series or one for each couple.
//!
//! A mask is an image (dark pixels are no flow) or a file of polygons in TOML or JSON:
//!
//! ```toml
//! # Corners in pixels: x to the right, y downwards, the centre of the upper left pixel is at (0, 0).
//! [[polygons]]
//! points = [[10, 20], [100, 20], [60, 90.5]]
//! ```
//!
//! What is inside of a polygon is no flow. With `inside = "flow"` at the top of the file, only what is inside of one
//! is.
//!
//! Masks that move are files in a folder, one for each couple: by the number of the couple's first image. A couple
//! without a mask is an error before anything is computed, so that no couple silently has the mask of another one.

mod moving;
mod polygons;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use terzetto_executor::{BoxError, Key};
use terzetto_kernels::{multipass::Mask, read_image};

pub use moving::{list_masks, mask_files};
pub use polygons::{Inside, Polygon, Polygons, PolygonsError};

/// A mask as its file has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MaskShape {
    /// Pixel by pixel, for images of this size.
    Pixels(Arc<Mask>),
    /// Polygons, for images of any size.
    Polygons(Polygons),
}

impl MaskShape {
    /// Reads a file of polygons (`.toml`, `.json`), or an image.
    ///
    /// # Errors
    /// The file cannot be read, or is no mask; the error names it.
    pub fn read(path: &Path) -> Result<MaskShape, BoxError> {
        if polygons::is_file_of_polygons(path) {
            return Ok(MaskShape::Polygons(Polygons::read(path)?));
        }
        Ok(MaskShape::Pixels(Arc::new(Mask::from_image(&read_image(path)?))))
    }

    /// The mask for images of a width and a height, px; one made of pixels is what it is.
    pub fn for_size(&self, (width, height): (usize, usize)) -> Arc<Mask> {
        match self {
            MaskShape::Pixels(mask) => mask.clone(),
            MaskShape::Polygons(polygons) => Arc::new(polygons.mask(width, height)),
        }
    }
}

/// The masks of a series. Clones share what was read.
#[derive(Clone, Debug, Default)]
pub struct Masks(Option<Arc<Source>>);

#[derive(Debug)]
enum Source {
    /// One for all couples, and what was made of it for the sizes of images.
    Same(MaskShape, Mutex<HashMap<(usize, usize), Arc<Mask>>>),
    /// A file for each couple, which is read when the couple is computed.
    Moving(HashMap<Key, PathBuf>),
}

impl Masks {
    /// No mask: all pixels count.
    pub fn none() -> Masks {
        Masks::default()
    }

    /// The same mask for all couples.
    pub fn same(shape: MaskShape) -> Masks {
        Masks(Some(Arc::new(Source::Same(shape, Mutex::default()))))
    }

    /// A file for each couple, as [`mask_files`] finds them.
    pub fn moving(files: HashMap<Key, PathBuf>) -> Masks {
        Masks(Some(Arc::new(Source::Moving(files))))
    }

    /// Is there a mask for each couple?
    pub fn is_moving(&self) -> bool {
        matches!(self.0.as_deref(), Some(Source::Moving(_)))
    }

    /// The mask of a couple, for images of a width and a height, px; `None`: all pixels count.
    ///
    /// # Errors
    /// A moving mask whose file cannot be read.
    pub fn of(&self, couple: &Key, size: (usize, usize)) -> Result<Option<Arc<Mask>>, BoxError> {
        match self.0.as_deref() {
            None => Ok(None),
            Some(Source::Same(shape, made)) => {
                let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(Some(made.entry(size).or_insert_with(|| shape.for_size(size)).clone()))
            }
            Some(Source::Moving(files)) => match files.get(couple) {
                Some(path) => Ok(Some(MaskShape::read(path)?.for_size(size))),
                None => Err(format!("couple `{couple}` has no mask").into()),
            },
        }
    }
}
