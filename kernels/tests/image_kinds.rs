//! Kinds of pixels and pages that cameras and programs write, and that are read or refused by name.

use std::path::PathBuf;
use terzetto_kernels::{
    Image, ImageError,
    image::{count_pages, decode_image, read_image_page},
};

/// One image in a TIFF file.
struct Page {
    width: usize,
    height: usize,
    /// Bits of each sample, and samples of a pixel.
    depth: usize,
    samples: usize,
    /// 0: white is zero, 1: black is zero, 2: red, green, blue, 3: palette, 5: cyan, magenta, yellow, black.
    kind: u16,
    /// 1: without sign, 2: with, 3: floating point.
    format: u16,
    /// 1: none, 50000: Zstd.
    compression: u16,
    /// 1: a copy of less resolution.
    subfile: u32,
    palette: Vec<u16>,
    data: Vec<u8>,
}

impl Page {
    fn grey(width: usize, height: usize, depth: usize, data: Vec<u8>) -> Page {
        Page {
            width,
            height,
            depth,
            samples: 1,
            kind: 1,
            format: 1,
            compression: 1,
            subfile: 0,
            palette: Vec::new(),
            data,
        }
    }
}

/// A TIFF file, by the letter of its specification.
fn tiff(little: bool, big: bool, pages: &[Page]) -> Vec<u8> {
    let number = |value: u64, size: usize| {
        let bytes = value.to_le_bytes()[..size].to_vec();
        if little { bytes } else { bytes.into_iter().rev().collect() }
    };
    let (offset, count) = if big { (8, 8) } else { (4, 2) };
    let mut file = if little { b"II".to_vec() } else { b"MM".to_vec() };
    file.extend(number(if big { 43 } else { 42 }, 2));
    if big {
        file.extend([number(8, 2), number(0, 2)].concat());
    }
    let mut link = file.len();
    file.extend(number(0, offset));
    for page in pages {
        let place = |file: &mut Vec<u8>, bytes: &[u8]| {
            let start = file.len() as u64;
            file.extend(bytes);
            file.resize(file.len().next_multiple_of(2), 0);
            start
        };
        let data = place(&mut file, &page.data);
        let shorts =
            |values: &[u16]| values.iter().flat_map(|&value| number(value.into(), 2)).collect::<Vec<_>>();
        let palette = shorts(&page.palette);
        let palette = place(&mut file, &palette);
        let long = |tag: u16, value: u64| (tag, 4_u16, 1_u64, number(value, 4));
        let short = |tag: u16, value: u16| (tag, 3, 1, number(value.into(), 2));
        let same = |tag: u16, value: u16| {
            let values = vec![value; page.samples];
            (tag, 3, page.samples as u64, shorts(&values))
        };
        let mut entries = vec![
            long(254, page.subfile.into()),
            long(256, page.width as u64),
            long(257, page.height as u64),
            same(258, page.depth as u16),
            short(259, page.compression),
            short(262, page.kind),
            long(273, data),
            short(277, page.samples as u16),
            long(278, page.height as u64),
            long(279, page.data.len() as u64),
            same(339, page.format),
        ];
        if page.samples == 2 || page.samples == 4 && page.kind == 2 {
            entries.insert(10, short(338, 2));
        }
        if !page.palette.is_empty() {
            entries.insert(10, (320, 3, page.palette.len() as u64, number(palette, offset)));
        }
        let entries: Vec<Vec<u8>> = entries
            .into_iter()
            .map(|(tag, kind, count, mut value)| {
                if value.len() > offset {
                    let start = place(&mut file, &value);
                    value = number(start, offset);
                }
                value.resize(offset, 0);
                [number(tag.into(), 2), number(kind.into(), 2), number(count, offset), value].concat()
            })
            .collect();
        let start = file.len() as u64;
        file.splice(link..link + offset, number(start, offset));
        file.extend(number(entries.len() as u64, count));
        entries.iter().for_each(|entry| file.extend(entry));
        link = file.len();
        file.extend(number(0, offset));
    }
    file
}

/// Samples packed bit by bit, each row from a new byte on.
fn packed(width: usize, depth: usize, samples: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in samples.chunks(width) {
        let bits: Vec<u8> = row
            .iter()
            .flat_map(|sample| (0..depth).rev().map(move |bit| (sample >> bit & 1) as u8))
            .collect();
        bytes.extend(
            bits.chunks(8).map(|bits| bits.iter().zip(0..).fold(0, |byte, (bit, at)| byte | bit << (7 - at))),
        );
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<Image, ImageError> {
    decode_image(&PathBuf::from("folder/shot.tif"), bytes)
}

fn values(bytes: &[u8]) -> Vec<f32> {
    read(bytes).unwrap().data().to_vec()
}

#[test]
fn piv_10_packed_counts_of_every_depth_keep_their_values() {
    for depth in [1, 2, 4, 6, 8, 10, 12, 14, 16] {
        // Widths whose rows end within a byte, and counts with all bits in use.
        for width in [8, 7, 5] {
            let samples: Vec<u16> = (0..width * 3)
                .map(|i| (i as u32 * 40_503 + 1234) as u16 & ((1_u32 << depth) - 1) as u16)
                .collect();
            let wanted: Vec<f32> = samples.iter().map(|&sample| f32::from(sample)).collect();
            for (little, big) in [(true, false), (false, false), (true, true), (false, true)] {
                let data = match (depth, little) {
                    (16, true) => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
                    _ => packed(width, depth, &samples),
                };
                let file = tiff(little, big, &[Page::grey(width, 3, depth, data)]);
                assert_eq!(values(&file), wanted, "{depth} bits, {width} wide, little {little}, big {big}");
            }
        }
    }
}

#[test]
fn piv_10_signed_and_half_precision_numbers_keep_their_values() {
    let signed = [-7_i16, 0, 300, -32_768];
    let data = signed.iter().flat_map(|value| value.to_le_bytes()).collect();
    let page = Page { format: 2, ..Page::grey(4, 1, 16, data) };
    assert_eq!(values(&tiff(true, false, &[page])), [-7.0, 0.0, 300.0, -32_768.0]);
    let page = Page { format: 2, ..Page::grey(2, 1, 8, vec![255, 127]) };
    assert_eq!(values(&tiff(true, false, &[page])), [-1.0, 127.0]);
    // 1, -2, 0.5 and 65504 in half precision.
    let halves = [0x3C00_u16, 0xC000, 0x3800, 0x7BFF];
    let data = halves.iter().flat_map(|value| value.to_be_bytes()).collect();
    let page = Page { format: 3, ..Page::grey(4, 1, 16, data) };
    assert_eq!(values(&tiff(false, false, &[page])), [1.0, -2.0, 0.5, 65_504.0]);
    let data = [2.5_f64, -1e9].iter().flat_map(|value| value.to_le_bytes()).collect();
    let page = Page { format: 3, ..Page::grey(2, 1, 64, data) };
    assert_eq!(values(&tiff(true, true, &[page])), [2.5, -1e9]);
}

#[test]
fn piv_10_palettes_alpha_and_colors_of_floats_become_grey() {
    // Four colors: black, red, green, grey 100; 8 bits written twice into 16.
    let palette = [[0, 200, 0, 100], [0, 0, 200, 100], [0, 0, 0, 100]].concat();
    let palette = palette.into_iter().map(|value| 257 * value).collect();
    let page = Page { kind: 3, palette, ..Page::grey(4, 1, 2, packed(4, 2, &[0, 1, 2, 3])) };
    let found = values(&tiff(true, false, &[page]));
    for (value, wanted) in found.iter().zip([0.0, 0.2126 * 200.0, 0.7152 * 200.0, 100.0]) {
        assert!((value - wanted).abs() < 1e-3, "{value} for {wanted}");
    }
    let page = Page { samples: 2, ..Page::grey(2, 1, 8, vec![17, 255, 90, 0]) };
    assert_eq!(values(&tiff(true, false, &[page])), [17.0, 90.0], "transparency is no darkness");
    let data = [1.5_f32, 1.5, 1.5, 1.0, 0.0, 0.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let page = Page { samples: 3, kind: 2, format: 3, ..Page::grey(2, 1, 32, data) };
    assert_eq!(values(&tiff(true, false, &[page])), [1.5, 0.2126]);
}

#[test]
fn piv_10_zstd_is_read_and_colors_of_printers_are_refused_by_name() {
    // The bytes of a frame that holds its content as it is.
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0x20, 4, 4 << 3 | 1, 0, 0];
    frame.extend([9, 8, 7, 6]);
    let page = Page { compression: 50_000, ..Page::grey(2, 2, 8, frame) };
    assert_eq!(values(&tiff(true, false, &[page])), [9.0, 8.0, 7.0, 6.0]);
    let page = Page { samples: 4, kind: 5, ..Page::grey(1, 1, 8, vec![1, 2, 3, 4]) };
    let error = read(&tiff(true, false, &[page])).unwrap_err();
    assert!(matches!(error, ImageError::PixelKind { .. }));
    assert!(error.to_string().contains("folder/shot.tif") && error.to_string().contains("CMYK"), "{error}");
}

#[test]
fn piv_10_several_pages_are_a_series_and_never_the_first_one() {
    let page = |value: u8| Page::grey(2, 1, 8, vec![value, value]);
    let small = Page { subfile: 1, ..Page::grey(1, 1, 8, vec![0]) };
    let file = tiff(true, false, &[page(1), small, page(2), page(3)]);
    let error = read(&file).unwrap_err().to_string();
    assert!(error.contains("folder/shot.tif has 3 pages"), "{error}");
    let path = std::env::temp_dir().join(format!("terzetto-pages-{}.tif", std::process::id()));
    std::fs::write(&path, &file).unwrap();
    assert_eq!(count_pages(&path).unwrap(), 3, "a small copy is no page");
    for page in 0..3 {
        assert_eq!(read_image_page(&path, page).unwrap().data(), [page as f32 + 1.0; 2]);
    }
    assert!(matches!(read_image_page(&path, 3), Err(ImageError::Pages { pages: 3, .. })));
    // A page with a small copy of itself is one image.
    std::fs::write(&path, tiff(false, true, &[page(5), Page { subfile: 1, ..page(0) }])).unwrap();
    assert_eq!(terzetto_kernels::read_image(&path).unwrap().data(), [5.0; 2]);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn piv_10_jpeg_webp_and_ppm_are_read() {
    let ppm = b"P6 2 1 255\n\x0a\x0a\x0a\xff\x00\x00";
    let found = decode_image(&PathBuf::from("a.ppm"), ppm).unwrap();
    assert_eq!(found.data()[0], 10.0);
    assert!((found.data()[1] - 0.2126 * 255.0).abs() < 1e-3);
    // The smallest image without losses: one pixel, black and opaque.
    let webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0";
    let webp = decode_image(&PathBuf::from("a.webp"), webp).unwrap();
    assert_eq!((webp.width(), webp.height()), (1, 1));
    let jpeg = include_bytes!("data/grey.jpg");
    let jpeg = decode_image(&PathBuf::from("a.jpg"), jpeg).unwrap();
    assert_eq!((jpeg.width(), jpeg.height()), (16, 8));
    let (left, right) = (jpeg.get(3, 3).unwrap(), jpeg.get(12, 3).unwrap());
    assert!((left - 40.0).abs() < 6.0 && (right - 200.0).abs() < 6.0, "{left} {right}");
}
