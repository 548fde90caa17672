//! Files in and out: raw counts survive, damage is reported with the name.

use std::path::PathBuf;

use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage};
use terzetto_kernels::{Image, ImageError, encode_png16, read_image, write_png16};

/// A folder of its own for each test, removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("terzetto-kernels-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Every 8-bit count, in a shape whose rows are no multiple of four bytes.
fn ramp8() -> GrayImage {
    GrayImage::from_fn(37, 23, |x, y| Luma([((x * 7 + y * 37) % 256) as u8]))
}

fn ramp16() -> ImageBuffer<Luma<u16>, Vec<u16>> {
    ImageBuffer::from_fn(37, 23, |x, y| Luma([((x * 2801 + y * 977) % 65_536) as u16]))
}

#[test]
fn eight_bit_files_keep_their_counts() {
    let folder = Folder::new("eight");
    let ramp = ramp8();
    for name in ["a.png", "a.tif", "a.bmp"] {
        let path = folder.file(name);
        ramp.save(&path).unwrap();
        let read = read_image(&path).unwrap();
        assert_eq!((read.width(), read.height()), (37, 23), "{name}");
        for (x, y, pixel) in ramp.enumerate_pixels() {
            let value = read.get(x as usize, y as usize);
            assert_eq!(value, Some(f32::from(pixel.0[0])), "{name} at {x}, {y}");
        }
    }
}

#[test]
fn sixteen_bit_files_keep_their_counts() {
    let folder = Folder::new("sixteen");
    let ramp = ramp16();
    for name in ["a.png", "a.tif"] {
        let path = folder.file(name);
        ramp.save(&path).unwrap();
        let read = read_image(&path).unwrap();
        for (x, y, pixel) in ramp.enumerate_pixels() {
            let value = read.get(x as usize, y as usize);
            assert_eq!(value, Some(f32::from(pixel.0[0])), "{name} at {x}, {y}");
        }
    }
}

#[test]
fn tiff_files_of_floating_point_and_wide_integers_keep_their_values() {
    use tiff::encoder::{TiffEncoder, colortype};
    let folder = Folder::new("wide");
    let path = folder.file("float.tif");
    let values: Vec<f32> = (0..37 * 23).map(|i| i as f32 * 0.25 - 7.5).collect();
    let file = std::fs::File::create(&path).unwrap();
    TiffEncoder::new(file).unwrap().write_image::<colortype::Gray32Float>(37, 23, &values).unwrap();
    let read = read_image(&path).unwrap();
    assert_eq!((read.width(), read.height(), read.data()), (37, 23, &values[..]));

    let path = folder.file("counts.tif");
    let counts: Vec<u32> = (0..37 * 23).map(|i| i * 1000).collect();
    let file = std::fs::File::create(&path).unwrap();
    TiffEncoder::new(file).unwrap().write_image::<colortype::Gray32>(37, 23, &counts).unwrap();
    assert_eq!(read_image(&path).unwrap().get(1, 1), Some(38_000.0));

    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(read_image(&path).unwrap_err().to_string().contains("counts.tif"));
}

#[test]
fn portable_grey_maps_keep_their_counts() {
    let folder = Folder::new("pgm");
    let path = folder.file("grey.pgm");
    let mut bytes = b"P5 3 1 255\n".to_vec();
    bytes.extend([0, 7, 255]);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(read_image(&path).unwrap().data(), [0.0, 7.0, 255.0]);
    let mut bytes = b"P5 2 1 65535\n".to_vec();
    bytes.extend([1, 0, 255, 255]);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(read_image(&path).unwrap().data(), [256.0, 65535.0]);
}

#[test]
fn the_format_is_told_from_the_bytes_not_the_name() {
    let folder = Folder::new("names");
    let path = folder.file("really-a-png.bmp");
    std::fs::write(&path, encode_png16(&Image::from_fn(5, 4, |x, _| x as f32)).unwrap()).unwrap();
    assert_eq!(read_image(&path).unwrap().row(3), [0.0, 1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn written_png_comes_back_rounded_and_clamped() {
    let folder = Folder::new("written");
    let path = folder.file("out.png");
    let image = Image::new(4, 1, vec![-5.0, 0.4, 12_345.0, 70_000.0]).unwrap();
    write_png16(&path, &image).unwrap();
    assert_eq!(read_image(&path).unwrap().data(), [0.0, 0.0, 12_345.0, 65_535.0]);
}

#[test]
fn colour_becomes_luminance() {
    let folder = Folder::new("colour");
    let path = folder.file("colour.png");
    let image = RgbImage::from_fn(4, 1, |x, _| {
        Rgb([[200, 0, 0], [0, 200, 0], [0, 0, 200], [173, 173, 173]][x as usize])
    });
    image.save(&path).unwrap();
    let read = read_image(&path).unwrap();
    let expected = [0.2126 * 200.0, 0.7152 * 200.0, 0.0722 * 200.0, 173.0];
    for (value, expected) in read.data().iter().zip(expected) {
        assert!((value - expected).abs() < 1e-4, "{value} for {expected}");
    }
    assert_eq!(read.data()[3], 173.0, "a grey pixel is not rounded");
}

#[test]
fn damaged_files_are_errors_that_name_the_file() {
    let folder = Folder::new("damaged");
    let whole = folder.file("whole.png");
    for (name, cut) in [("cut.png", 0.6), ("cut.tif", 0.5), ("cut.bmp", 0.5), ("head.png", 0.01)] {
        let source = whole.with_extension(name.rsplit('.').next().unwrap());
        ramp8().save(&source).unwrap();
        let bytes = std::fs::read(&source).unwrap();
        let path = folder.file(name);
        std::fs::write(&path, &bytes[..(bytes.len() as f64 * cut) as usize]).unwrap();
        let error = read_image(&path).unwrap_err();
        assert!(matches!(error, ImageError::Decode { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }

    let flipped = folder.file("flipped.png");
    let mut bytes = encode_png16(&Image::from_fn(64, 64, |x, y| (x * y) as f32)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&flipped, bytes).unwrap();
    assert!(read_image(&flipped).unwrap_err().to_string().contains("flipped.png"));

    let text = folder.file("text.png");
    std::fs::write(&text, "not an image").unwrap();
    assert!(read_image(&text).unwrap_err().to_string().contains("text.png"));
}

#[test]
fn a_missing_file_and_a_missing_folder_are_named() {
    let folder = Folder::new("missing");
    let path = folder.file("absent.png");
    let error = read_image(&path).unwrap_err();
    assert!(matches!(error, ImageError::Read { .. }), "{error:?}");
    assert!(error.to_string().contains("absent.png"), "{error}");

    let path = folder.file("no-folder/out.png");
    let error = write_png16(&path, &Image::from_fn(2, 2, |_, _| 0.0)).unwrap_err();
    assert!(matches!(error, ImageError::Write { .. }), "{error:?}");
    assert!(error.to_string().contains("no-folder"), "{error}");
}

#[test]
fn errors_cross_threads() {
    fn check<T: std::error::Error + Send + Sync + 'static>() {}
    check::<ImageError>();
}
