//! From a dataset to bytes.

use super::{Dataset, OutputError, Values, Variable, kind, tag};

pub(super) fn encode(data: &Dataset) -> Result<Vec<u8>, OutputError> {
    for variable in &data.variables {
        if data.size(&variable.dimensions) != Some(variable.values.len()) {
            let what = format!("the values of `{}` do not fill its dimensions", variable.name);
            return Err(OutputError::Format { what });
        }
    }
    // The header tells where the data of each variable begins, and so must be as long as it will be.
    let length = header(data, &vec![0; data.variables.len()])?.len();
    let mut begin = length;
    let mut begins = Vec::with_capacity(data.variables.len());
    for variable in &data.variables {
        begins.push(begin);
        begin += padded(byte_length(&variable.values));
    }
    let mut bytes = header(data, &begins)?;
    for variable in &data.variables {
        put_values(&mut bytes, &variable.values);
    }
    Ok(bytes)
}

fn header(data: &Dataset, begins: &[usize]) -> Result<Vec<u8>, OutputError> {
    let mut out = b"CDF\x01".to_vec();
    put(&mut out, 0, "records")?;
    open_list(&mut out, tag::DIMENSIONS, data.dimensions.len())?;
    for (name, length) in &data.dimensions {
        put_name(&mut out, name)?;
        put(&mut out, *length, name)?;
    }
    put_attributes(&mut out, &data.attributes)?;
    open_list(&mut out, tag::VARIABLES, data.variables.len())?;
    for (Variable { name, dimensions, attributes, values }, &begin) in data.variables.iter().zip(begins) {
        put_name(&mut out, name)?;
        put(&mut out, dimensions.len(), name)?;
        for &dimension in dimensions {
            put(&mut out, dimension, name)?;
        }
        put_attributes(&mut out, attributes)?;
        out.extend(kind_of(values).to_be_bytes());
        put(&mut out, padded(byte_length(values)), name)?;
        put(&mut out, begin, name)?;
    }
    Ok(out)
}

fn put_attributes(out: &mut Vec<u8>, attributes: &[(String, Values)]) -> Result<(), OutputError> {
    open_list(out, tag::ATTRIBUTES, attributes.len())?;
    for (name, values) in attributes {
        put_name(out, name)?;
        out.extend(kind_of(values).to_be_bytes());
        put(out, values.len(), name)?;
        put_values(out, values);
    }
    Ok(())
}

/// An empty list has no tag.
fn open_list(out: &mut Vec<u8>, tag: u32, count: usize) -> Result<(), OutputError> {
    out.extend(if count == 0 { 0 } else { tag }.to_be_bytes());
    put(out, count, "a list")
}

/// A number that the format holds in 31 bits; `what` it belongs to.
fn put(out: &mut Vec<u8>, number: usize, what: &str) -> Result<(), OutputError> {
    let number = i32::try_from(number).map_err(|_| OutputError::TooLarge { what: format!("`{what}`") })?;
    out.extend(number.to_be_bytes());
    Ok(())
}

fn put_name(out: &mut Vec<u8>, name: &str) -> Result<(), OutputError> {
    put(out, name.len(), name)?;
    out.extend(name.as_bytes());
    pad(out, name.len());
    Ok(())
}

fn put_values(out: &mut Vec<u8>, values: &Values) {
    match values {
        Values::Text(text) => out.extend(text.as_bytes()),
        Values::Bytes(values) => out.extend(values.iter().flat_map(|value| value.to_be_bytes())),
        Values::Shorts(values) => out.extend(values.iter().flat_map(|value| value.to_be_bytes())),
        Values::Ints(values) => out.extend(values.iter().flat_map(|value| value.to_be_bytes())),
        Values::Floats(values) => out.extend(values.iter().flat_map(|value| value.to_be_bytes())),
        Values::Doubles(values) => out.extend(values.iter().flat_map(|value| value.to_be_bytes())),
    }
    pad(out, byte_length(values));
}

fn pad(out: &mut Vec<u8>, length: usize) {
    out.resize(out.len() + padded(length) - length, 0);
}

/// Everything starts at a multiple of four bytes.
fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn byte_length(values: &Values) -> usize {
    values.len() * kind::size(kind_of(values)).unwrap_or(1)
}

fn kind_of(values: &Values) -> u32 {
    match values {
        Values::Text(_) => kind::CHAR,
        Values::Bytes(_) => kind::BYTE,
        Values::Shorts(_) => kind::SHORT,
        Values::Ints(_) => kind::INT,
        Values::Floats(_) => kind::FLOAT,
        Values::Doubles(_) => kind::DOUBLE,
    }
}
