//! `terzetto pages`: the pages of a TIFF file as a series of images.

use std::{fs, path::Path};

use terzetto_executor::{
    BoxError,
    results::{stem, write_atomic},
};
use terzetto_kernels::{
    Image, encode_png16,
    image::{count_pages, encode_tiff, read_image_page},
};

use crate::commands::{args::PagesArgs, print_line, run::status::Status};

pub fn command(args: &PagesArgs) -> Result<Status, BoxError> {
    let PagesArgs { file, folder } = args;
    let pages = count_pages(file)?;
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder `{}`: {error}", folder.display()))?;
    let digits = pages.to_string().len().max(4);
    for page in 0..pages {
        let image = read_image_page(file, page)?;
        let name = format!("{}_{:0digits$}", stem(file), page + 1);
        let (ending, bytes) = match has_counts(&image) {
            true => ("png", encode_png16(&image)?),
            false => ("tif", encode_tiff(&image)?),
        };
        write(&folder.join(format!("{name}.{ending}")), &bytes)?;
    }
    print_line(&format!("{pages} {} in {}", if pages == 1 { "page" } else { "pages" }, folder.display()));
    Ok(Status::Done)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BoxError> {
    write_atomic(path, bytes).map_err(|error| format!("cannot write `{}`: {error}", path.display()).into())
}

/// Can 16-bit counts hold all values?
fn has_counts(image: &Image) -> bool {
    image.data().iter().all(|value| (0.0..=65_535.0).contains(value) && value.fract() == 0.0)
}
