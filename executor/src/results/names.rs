//! File names as text.

use std::{ffi::OsStr, path::Path};

/// A path's file name as [text].
pub fn file_name(path: &Path) -> String {
    path.file_name().map(text).unwrap_or_default()
}

/// A path's file name as [text], without its ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().map(text).unwrap_or_default()
}

/// A name or a path as text. Bytes that are no text are written as `%FF`, so that two names that differ in them alone
/// do not become one.
pub fn text(name: &OsStr) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("%{byte:02X}")));
    }
    text
}
