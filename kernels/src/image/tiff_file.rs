//! TIFF files: many kinds of pixels, and many pages.
//!
//! Cameras write 10, 12 and 14-bit counts packed without gaps, other programs write floating-point numbers, signed
//! integers and palettes. The `tiff` crate decompresses them all, and knows most of them. What it does not know, packed
//! counts and palettes, is given to it under another name, in a copy of the file: a row of packed counts is as many
//! whole bytes as it fills, and the indices of a palette are grey values. Bits are then unpacked and palettes looked up
//! here.

use std::io::Cursor;

use tiff::{
    ColorType, TiffError, TiffFormatError,
    decoder::{Decoder, DecodingResult},
    tags::Tag,
};

use super::{directory, read::luminance};

/// Why a page is not read.
pub(super) enum Refusal {
    /// The file is damaged, or uses what the decoder does not know.
    Decode(TiffError),
    /// The pixels are of a kind that is no intensity.
    Kind(String),
}

impl From<TiffError> for Refusal {
    fn from(error: TiffError) -> Refusal {
        Refusal::Decode(error)
    }
}

type Opened<'a> = Decoder<Cursor<&'a [u8]>>;

/// The places of the pages in a file, which also holds images that are none: small copies of a page, and masks.
pub(super) fn pages(bytes: &[u8]) -> Result<Vec<usize>, TiffError> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    if !decoder.more_images() {
        return Ok(vec![0]);
    }
    let mut pages = Vec::new();
    for index in 0.. {
        let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType)?.unwrap_or(0);
        // Bit 0 marks a copy of less resolution, bit 2 a mask.
        if kind & 0b101 == 0 {
            pages.push(index);
        }
        if !decoder.more_images() {
            break;
        }
        decoder.next_image()?;
    }
    Ok(pages)
}

/// Width, height and values of the image at a place in the file.
pub(super) fn read(bytes: &[u8], place: usize) -> Result<(usize, usize, Vec<f32>), Refusal> {
    let mut decoder = open(bytes, place)?;
    let (width, height) = decoder.dimensions()?;
    let (width, height) = (width as usize, height as usize);
    let number = |decoder: &mut Opened<'_>, tag: Tag| decoder.find_tag_unsigned_vec::<u32>(tag);
    let depth =
        number(&mut decoder, Tag::BitsPerSample)?.and_then(|depths| depths.first().copied()).unwrap_or(1);
    let samples = number(&mut decoder, Tag::SamplesPerPixel)?.and_then(|counts| counts.first().copied());
    let kind = number(&mut decoder, Tag::PhotometricInterpretation)?.and_then(|kinds| kinds.first().copied());
    let is_palette = kind == Some(PALETTE);
    let is_packed = !depth.is_multiple_of(8) && samples.unwrap_or(1) == 1;
    if !is_palette && !is_packed {
        return Ok((width, height, decode(&mut decoder, width * height)?));
    }
    let depth = depth as usize;
    if depth > 16 || (is_packed && number(&mut decoder, Tag::Predictor)?.is_some_and(|kind| kind != [1])) {
        return Err(Refusal::Kind(format!("{depth} bits a sample, with differences for values")));
    }
    let palette = is_palette.then(|| palette(&mut decoder, depth)).transpose()?;
    let row = if is_packed { (width * depth).div_ceil(8) } else { width };
    let Some(copy) = directory::relabel(bytes, place, depth, is_packed) else {
        return Err(Refusal::Kind(format!("{depth} bits a sample in tiles that end within a byte")));
    };
    let found = decode(&mut open(&copy, place)?, row * height)?;
    let mut values: Vec<f32> = match is_packed {
        true => found.chunks_exact(row).flat_map(|line| unpack(line, depth, width)).collect(),
        false => found,
    };
    match palette {
        Some(palette) => {
            let color = |index: f32| palette.get(index as usize).copied().unwrap_or(0.0);
            values.iter_mut().for_each(|value| *value = color(*value));
        }
        None if kind == Some(WHITE_IS_ZERO) => {
            let white = ((1_u32 << depth) - 1) as f32;
            values.iter_mut().for_each(|value| *value = white - *value);
        }
        None => {}
    }
    Ok((width, height, values))
}

/// What a value means, as the tag of that name has it.
const WHITE_IS_ZERO: u32 = 0;
const PALETTE: u32 = 3;

fn open(bytes: &[u8], place: usize) -> Result<Opened<'_>, TiffError> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    if place > 0 {
        decoder.seek_to_image(place)?;
    }
    Ok(decoder)
}

/// One value for each pixel of a kind that the decoder knows.
fn decode(decoder: &mut Opened<'_>, pixels: usize) -> Result<Vec<f32>, Refusal> {
    let color = decoder.colortype()?;
    let channels = match color {
        ColorType::Gray(_) => 1,
        // Grey, and how opaque it is.
        ColorType::GrayA(_) | ColorType::Multiband { num_samples: 2, .. } => 2,
        ColorType::RGB(_) => 3,
        ColorType::RGBA(_) => 4,
        other => return Err(Refusal::Kind(format!("{other:?}"))),
    };
    let mut decoded = DecodingResult::U8(Vec::new());
    let planes = decoder.read_image_to_buffer(&mut decoded)?.planes.max(1);
    let mut samples = whole(decoded);
    if samples.len() < pixels * if planes > 1 { planes } else { channels } {
        let short = TiffFormatError::InconsistentSizesEncountered;
        return Err(Refusal::Decode(TiffError::FormatError(short)));
    }
    if channels == 1 {
        samples.truncate(pixels);
        return Ok(samples);
    }
    // Samples of a pixel side by side, or each kind in a plane of its own.
    let at = |pixel: usize, channel: usize| match planes {
        1 => samples[pixel * channels + channel],
        _ => samples[channel * pixels + pixel],
    };
    let value = |pixel| match channels {
        2 => at(pixel, 0),
        _ => luminance(at(pixel, 0), at(pixel, 1), at(pixel, 2)),
    };
    Ok((0..pixels).map(value).collect())
}

/// Samples of whole bytes.
fn whole(decoded: DecodingResult) -> Vec<f32> {
    match decoded {
        DecodingResult::U8(samples) => samples.into_iter().map(f32::from).collect(),
        DecodingResult::I8(samples) => samples.into_iter().map(f32::from).collect(),
        DecodingResult::U16(samples) => samples.into_iter().map(f32::from).collect(),
        DecodingResult::I16(samples) => samples.into_iter().map(f32::from).collect(),
        DecodingResult::F16(samples) => samples.into_iter().map(f32::from).collect(),
        DecodingResult::F32(samples) => samples,
        DecodingResult::F64(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        DecodingResult::U32(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        DecodingResult::U64(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        DecodingResult::I32(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        DecodingResult::I64(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
    }
}

/// The numbers in a row of bytes, which follow each other bit by bit, the highest first.
fn unpack(line: &[f32], depth: usize, count: usize) -> impl Iterator<Item = f32> {
    let bit = move |index: usize| line.get(index / 8).map_or(0, |&byte| byte as u32 >> (7 - index % 8) & 1);
    (0..count).map(move |index| {
        (index * depth..(index + 1) * depth).fold(0, |value, index| value << 1 | bit(index)) as f32
    })
}

/// The luminance of each color of a palette, in counts of 8 bits if its colors have no more.
fn palette(decoder: &mut Opened<'_>, depth: usize) -> Result<Vec<f32>, TiffError> {
    let mut map = decoder.get_tag_u16_vec(Tag::ColorMap)?;
    let colors = 1 << depth.min(16);
    if map.len() < 3 * colors {
        return Err(TiffError::FormatError(TiffFormatError::InconsistentSizesEncountered));
    }
    // Eight bits are written twice into sixteen, or followed by zeros.
    for unit in [257, 256] {
        if map.iter().any(|&value| value > 255) && map.iter().all(|value| value % unit == 0) {
            map.iter_mut().for_each(|value| *value /= unit);
        }
    }
    let part = |color: usize, index: usize| f32::from(map[color * colors + index]);
    Ok((0..colors).map(|index| luminance(part(0, index), part(1, index), part(2, index))).collect())
}
