//! The names on the right side of the dictionaries.

use std::{fs, path::Path, sync::OnceLock};

/// What can be imported of a path: for a method its type, for a variant its enum.
pub fn item_of(path: &str) -> String {
    let parts: Vec<&str> = path.split("::").collect();
    let is_type = |part: &&&str| part.starts_with(char::is_uppercase);
    match parts.iter().position(|part| is_type(&part)) {
        Some(at) => parts[..=at].join("::"),
        None => parts.join("::"),
    }
}

/// Whether the source defines something of the path's last name.
pub fn source_has(path: &str) -> bool {
    let name = path.rsplit("::").next().unwrap();
    let text = source();
    name == "clone"
        || ["fn", "struct", "enum", "trait", "type"].iter().any(|kind| {
            [" ", "(", "<", "[", ";", ":", "{"]
                .iter()
                .any(|end| text.contains(&format!("{kind} {name}{end}")))
        })
        || text.contains(&format!("    {name},\n"))
}

/// The source of the crate, in one text.
fn source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let mut text = String::new();
        let mut todo = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = todo.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    todo.push(path);
                } else {
                    text += &fs::read_to_string(path).unwrap();
                }
            }
        }
        text
    })
}
