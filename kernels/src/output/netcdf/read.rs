//! From bytes to a dataset. Nothing in a file is trusted: each length is compared with what is left.

use super::{Dataset, OutputError, Values, Variable, kind, tag};

pub(super) fn decode(bytes: &[u8]) -> Result<Dataset, OutputError> {
    let mut reader = Reader { bytes, at: 0, wide: false };
    reader.wide = match reader.take(4)? {
        b"CDF\x01" => false,
        b"CDF\x02" => true,
        _ => return Err(error("it does not begin as the classic format does")),
    };
    // Without a record dimension the count of records means nothing; a stream writes all ones.
    reader.take(4)?;
    let mut data = Dataset::default();
    for _ in 0..reader.list(tag::DIMENSIONS)? {
        let (name, length) = (reader.name()?, reader.number()?);
        if length == 0 {
            return Err(error(format!("`{name}` is a record dimension, which is not supported")));
        }
        data.dimensions.push((name, length));
    }
    data.attributes = reader.attributes()?;
    for _ in 0..reader.list(tag::VARIABLES)? {
        let variable = reader.variable(&data)?;
        data.variables.push(variable);
    }
    Ok(data)
}

fn error(what: impl Into<String>) -> OutputError {
    OutputError::Format { what: what.into() }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether offsets have 64 bits.
    wide: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], OutputError> {
        let end = self.at.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken =
            taken.ok_or_else(|| error(format!("it ends within its header, at byte {}", self.bytes.len())))?;
        self.at += length;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u32, OutputError> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }

    fn number(&mut self) -> Result<usize, OutputError> {
        let word = self.word()?;
        let number = usize::try_from(word).ok().filter(|_| word <= i32::MAX as u32);
        number.ok_or_else(|| error(format!("a length of {word}")))
    }

    /// The count of a list.
    fn list(&mut self, tag: u32) -> Result<usize, OutputError> {
        let (found, count) = (self.word()?, self.number()?);
        match (found, count) {
            (0, 0) => Ok(0),
            _ if found == tag => Ok(count),
            _ => Err(error(format!("a list opens with {found} instead of {tag}"))),
        }
    }

    fn text(&mut self, length: usize) -> Result<String, OutputError> {
        let bytes = self.take(length)?;
        self.skip_padding(length)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| error("a text that is not UTF-8"))
    }

    fn skip_padding(&mut self, length: usize) -> Result<(), OutputError> {
        self.take(length.next_multiple_of(4) - length).map(|_| ())
    }

    fn name(&mut self) -> Result<String, OutputError> {
        let length = self.number()?;
        self.text(length)
    }

    fn attributes(&mut self) -> Result<Vec<(String, Values)>, OutputError> {
        let mut attributes = Vec::new();
        for _ in 0..self.list(tag::ATTRIBUTES)? {
            let (name, kind, count) = (self.name()?, self.word()?, self.number()?);
            let length = byte_length(kind, count)?;
            let values = values(kind, self.take(length)?)?;
            self.skip_padding(length)?;
            attributes.push((name, values));
        }
        Ok(attributes)
    }

    fn variable(&mut self, data: &Dataset) -> Result<Variable, OutputError> {
        let name = self.name()?;
        let mut dimensions = Vec::new();
        for _ in 0..self.number()? {
            dimensions.push(self.number()?);
        }
        let attributes = self.attributes()?;
        let kind = self.word()?;
        // The size is only a copy of what the dimensions say, and wrong where it does not fit.
        self.take(4)?;
        let high = if self.wide { self.word()? } else { 0 };
        let begin = u64::from(high) << 32 | u64::from(self.word()?);
        let length = data.size(&dimensions).and_then(|count| byte_length(kind, count).ok());
        let place = usize::try_from(begin).ok().zip(length);
        let found = place.and_then(|(begin, length)| self.bytes.get(begin..begin.checked_add(length)?));
        let found = found.ok_or_else(|| error(format!("the data of `{name}` lie outside the file")))?;
        let values = values(kind, found)?;
        Ok(Variable { name, dimensions, attributes, values })
    }
}

fn byte_length(kind: u32, count: usize) -> Result<usize, OutputError> {
    let size = kind::size(kind).ok_or_else(|| error(format!("values of the unknown type {kind}")))?;
    count.checked_mul(size).ok_or_else(|| error(format!("{count} values")))
}

fn values(kind: u32, bytes: &[u8]) -> Result<Values, OutputError> {
    Ok(match kind {
        kind::CHAR => {
            Values::Text(String::from_utf8(bytes.to_vec()).map_err(|_| error("a text that is not UTF-8"))?)
        }
        kind::BYTE => Values::Bytes(numbers(bytes, i8::from_be_bytes)),
        kind::SHORT => Values::Shorts(numbers(bytes, i16::from_be_bytes)),
        kind::INT => Values::Ints(numbers(bytes, i32::from_be_bytes)),
        kind::FLOAT => Values::Floats(numbers(bytes, f32::from_be_bytes)),
        kind::DOUBLE => Values::Doubles(numbers(bytes, f64::from_be_bytes)),
        _ => return Err(error(format!("values of the unknown type {kind}"))),
    })
}

fn numbers<T, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| number(chunk)).collect()
}
