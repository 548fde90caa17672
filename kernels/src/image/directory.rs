//! The directory of a TIFF file, entry by entry: what a decoder is told of an image can be told otherwise.
//!
//! A file begins with its byte order, and with the place of the first directory; each directory ends with the place of
//! the next. An entry is a tag, the type of its values, their number, and the values themselves, or their place if they
//! are too many. In BigTIFF files numbers and places have 8 bytes, which also begins with other bytes.

/// The tags of what is told otherwise.
const IMAGE_WIDTH: u64 = 256;
const BITS_PER_SAMPLE: u64 = 258;
const PHOTOMETRIC: u64 = 262;
const TILE_WIDTH: u64 = 322;
/// The value of [`PHOTOMETRIC`] for grey counts.
const BLACK_IS_ZERO: u64 = 1;

/// A copy of a file in which the image at a place is one of grey counts, of whole bytes if its counts are packed. None if
/// its directory cannot be read, or its tiles begin within a byte.
pub(super) fn relabel(bytes: &[u8], place: usize, depth: usize, is_packed: bool) -> Option<Vec<u8>> {
    let mut file = File::new(bytes)?;
    let entries = file.entries(place)?;
    let in_bytes = |pixels: u64| (pixels as usize * depth).div_ceil(8) as u64;
    for Entry { tag, value, size, number } in entries {
        let told = match tag {
            PHOTOMETRIC => BLACK_IS_ZERO,
            BITS_PER_SAMPLE if is_packed => 8,
            IMAGE_WIDTH if is_packed => in_bytes(number),
            TILE_WIDTH if is_packed && !(number as usize * depth).is_multiple_of(8) => return None,
            TILE_WIDTH if is_packed => in_bytes(number),
            _ => continue,
        };
        file.write(value, size, told)?;
    }
    Some(file.bytes)
}

/// The bytes of a file, and how numbers are written in it.
struct File {
    bytes: Vec<u8>,
    little: bool,
    big: bool,
}

/// An entry with one value.
struct Entry {
    tag: u64,
    /// The place of its value, and the value's bytes.
    value: usize,
    size: usize,
    number: u64,
}

impl File {
    fn new(bytes: &[u8]) -> Option<File> {
        let little = bytes.first()? == &b'I';
        let mut file = File { bytes: bytes.to_vec(), little, big: false };
        file.big = file.read(2, 2)? == 43;
        Some(file)
    }

    /// The entries of a directory that have one value, of 1, 2, 4 or 8 bytes.
    fn entries(&self, place: usize) -> Option<Vec<Entry>> {
        let (offset, count_size) = if self.big { (8, 8) } else { (4, 2) };
        let mut directory = self.read(if self.big { 8 } else { 4 }, offset)? as usize;
        for _ in 0..place {
            let count = self.read(directory, count_size)? as usize;
            let end = directory.checked_add(count_size)?.checked_add(count.checked_mul(4 + 2 * offset)?)?;
            directory = self.read(end, offset)? as usize;
        }
        let count = self.read(directory, count_size)? as usize;
        let start = directory.checked_add(count_size)?;
        let mut entries = Vec::new();
        for index in 0..count {
            let at = start.checked_add(index.checked_mul(4 + 2 * offset)?)?;
            let (tag, kind, values) = (self.read(at, 2)?, self.read(at + 2, 2)?, self.read(at + 4, offset)?);
            let size = match kind {
                1 => 1,
                3 => 2,
                4 => 4,
                16 => 8,
                _ => continue,
            };
            if values == 1 {
                let value = at + 4 + offset;
                entries.push(Entry { tag, value, size, number: self.read(value, size)? });
            }
        }
        Some(entries)
    }

    fn read(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }

    fn write(&mut self, at: usize, size: usize, number: u64) -> Option<()> {
        let bytes = self.bytes.get_mut(at..at.checked_add(size)?)?;
        for (index, byte) in bytes.iter_mut().enumerate() {
            let significance = if self.little { index } else { size - 1 - index };
            *byte = (number >> (8 * significance)) as u8;
        }
        Some(())
    }
}
