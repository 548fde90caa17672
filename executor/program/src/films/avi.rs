//! AVI files with frames that are uncompressed or JPEG (Microsoft, *AVI RIFF File Reference*; OpenDML for long files).
//!
//! A file is a list of chunks: a name of four letters, a length, bytes. `RIFF` and `LIST` hold other chunks. Read one
//! after the other, with lists entered and everything unknown skipped, there comes first what each stream is, then the
//! frames.

use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use terzetto_kernels::{Image, ImageError, decode_image};

use super::FilmError;

/// Why a film is not read here.
pub(super) enum Refusal {
    /// The frames are compressed in another way, of this name.
    Codec(String),
    Film(FilmError),
}

impl<E: Into<FilmError>> From<E> for Refusal {
    fn from(error: E) -> Refusal {
        Refusal::Film(error.into())
    }
}

/// How the frames of the film are stored.
#[derive(Clone, Debug)]
struct Format {
    /// The number of the stream, as the names of its chunks begin.
    stream: [u8; 2],
    width: usize,
    height: usize,
    /// Whether the first row is the lowest.
    upwards: bool,
    bits: u16,
    codec: [u8; 4],
    /// The luminance of each colour of the palette, if it is none of equal steps.
    palette: Vec<f32>,
}

/// A frame longer than this is taken for damage, bytes.
const LARGEST: u32 = 1 << 30;

/// Calls `write` with each frame and its number, from 1 on. Frames that a camera has dropped are left out, and keep
/// their numbers. Returns how many there are.
pub(super) fn each_frame(
    film: &Path,
    write: &mut dyn FnMut(usize, &Image) -> Result<(), FilmError>,
) -> Result<usize, Refusal> {
    let failed = |error| FilmError::File(film.to_owned(), error);
    let damaged = |problem: &str| FilmError::Video(film.to_owned(), problem.to_owned());
    let mut file = BufReader::new(File::open(film).map_err(failed)?);
    let (mut streams, mut number, mut count) = (0_u8, 0, 0);
    let (mut is_video, mut format) = (false, None::<Format>);
    let mut head = [0; 8];
    loop {
        match file.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(failed(error).into()),
        }
        let (name, length) = head.split_at(4);
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        let at_start = file.stream_position().map_err(failed)? == 8;
        if at_start != (name == b"RIFF" && at_start) {
            return Err(damaged("is no AVI file").into());
        }
        match name {
            b"RIFF" | b"LIST" => {
                let mut kind = [0; 4];
                file.read_exact(&mut kind).map_err(failed)?;
                if at_start && &kind != b"AVI " {
                    return Err(damaged("is no AVI file").into());
                }
                if &kind == b"strl" {
                    streams += 1;
                }
                continue;
            }
            b"strh" => {
                let bytes = chunk(&mut file, length).map_err(failed)?;
                is_video = bytes.starts_with(b"vids");
            }
            b"strf" if is_video && format.is_none() => {
                let bytes = chunk(&mut file, length).map_err(failed)?;
                let found =
                    Format::new(streams - 1, &bytes).ok_or_else(|| damaged("has no sizes of its frames"))?;
                if !found.is_known() {
                    return Err(Refusal::Codec(found.name()));
                }
                format = Some(found);
            }
            _ => match &format {
                Some(format) if format.owns(name) => {
                    number += 1;
                    if length > LARGEST {
                        return Err(damaged("has a frame that is too long").into());
                    }
                    let bytes = chunk(&mut file, length).map_err(|_| {
                        damaged(&format!("ends within frame {number}: the file is not whole"))
                    })?;
                    if !bytes.is_empty() {
                        write(number, &format.decode(film, number, &bytes)?)?;
                        count += 1;
                    }
                }
                _ => {
                    file.seek_relative(i64::from(length) + i64::from(length % 2)).map_err(failed)?;
                }
            },
        }
    }
    match count {
        0 => Err(damaged("has no frame").into()),
        _ => Ok(count),
    }
}

/// The bytes of a chunk. An even number is stored; the last byte may be missing at the end of the file.
fn chunk(file: &mut BufReader<File>, length: u32) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    file.seek(SeekFrom::Current(i64::from(length % 2)))?;
    Ok(bytes)
}

impl Format {
    /// Of the header of a bitmap.
    fn new(stream: u8, bytes: &[u8]) -> Option<Format> {
        let word = |at: usize| Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let (size, width, height) = (word(0)?, word(4)?, word(8)?);
        let bits = u16::from_le_bytes([*bytes.get(14)?, *bytes.get(15)?]);
        let codec: [u8; 4] = bytes.get(16..20)?.try_into().ok()?;
        let colors = bytes.get(usize::try_from(size).ok()?..).unwrap_or_default();
        let luminance = |color: &[u8]| {
            let [blue, green, red] = [0, 1, 2].map(|index| f32::from(color[index]));
            green + 0.2126 * (red - green) + 0.0722 * (blue - green)
        };
        let palette: Vec<f32> = colors.chunks_exact(4).map(luminance).collect();
        let (width, rows) = (usize::try_from(width).ok()?, usize::try_from(height.unsigned_abs()).ok()?);
        (width > 0 && rows > 0 && width < 1 << 16 && rows < 1 << 16).then_some(Format {
            stream: [b'0' + stream / 10, b'0' + stream % 10],
            width,
            height: rows,
            upwards: height > 0 && codec == [0; 4],
            bits,
            codec: codec.map(|letter| letter.to_ascii_uppercase()),
            palette,
        })
    }

    fn is_jpeg(&self) -> bool {
        [b"MJPG", b"JPEG", b"AVRN"].contains(&&self.codec)
    }

    /// One byte a pixel, or three or four.
    fn is_plain(&self) -> bool {
        let is_grey = [b"Y800", b"Y8  ", b"GREY"].contains(&&self.codec);
        is_grey || self.codec == [0; 4] && [8, 24, 32].contains(&self.bits)
    }

    fn is_known(&self) -> bool {
        self.is_jpeg() || self.is_plain()
    }

    /// What people call the way in which frames are stored.
    fn name(&self) -> String {
        match self.codec {
            [0, 0, 0, 0] => format!("uncompressed with {} bits a pixel", self.bits),
            codec => String::from_utf8_lossy(&codec).trim().to_owned(),
        }
    }

    /// Does a chunk hold a frame?
    fn owns(&self, name: &[u8]) -> bool {
        name[..2] == self.stream && (name[2..] == *b"db" || name[2..] == *b"dc")
    }

    fn decode(&self, film: &Path, number: usize, bytes: &[u8]) -> Result<Image, FilmError> {
        if self.is_jpeg() {
            return decode_image(film, bytes).map_err(|error| match error {
                ImageError::Decode { path, source } => {
                    FilmError::Video(path, format!("frame {number}: {source}"))
                }
                other => other.into(),
            });
        }
        let of_pixel = if self.codec == [0; 4] { usize::from(self.bits / 8) } else { 1 };
        // Rows of bitmaps are filled up to multiples of four bytes.
        let line = match self.codec {
            [0, 0, 0, 0] => (self.width * of_pixel).next_multiple_of(4),
            _ => self.width,
        };
        if bytes.len() < line * self.height {
            return Err(FilmError::Video(film.to_owned(), format!("frame {number} is not whole")));
        }
        Ok(Image::from_fn(self.width, self.height, |x, y| {
            let row = if self.upwards { self.height - 1 - y } else { y };
            let pixel = &bytes[row * line + x * of_pixel..][..of_pixel];
            match *pixel {
                [index] => self.palette.get(usize::from(index)).copied().unwrap_or_else(|| f32::from(index)),
                [blue, green, red, ..] => {
                    let [blue, green, red] = [blue, green, red].map(f32::from);
                    green + 0.2126 * (red - green) + 0.0722 * (blue - green)
                }
                _ => 0.0,
            }
        }))
    }
}
