//! File names as text.

use std::{ffi::OsStr, path::Path};

/// The file name of a path, as [text].
pub fn file_name(path: &Path) -> String {
    path.file_name().map(text).unwrap_or_default()
}

/// The file name of a path without its ending, as [text].
pub fn stem(path: &Path) -> String {
    path.file_stem().map(text).unwrap_or_default()
}

/// A name or a path as text. Bytes that are no text are written as `%FF`. So two names that differ only in such
/// bytes do not become the same text.
pub fn text(name: &OsStr) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("%{byte:02X}")));
    }
    text
}
