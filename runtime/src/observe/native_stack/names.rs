//! The names of functions and lines for the addresses of a stack.

use std::{fmt::Write, ptr};

/// At most so many lines.
const MOST: usize = 50;

/// The outermost call of the runtime that says something. What is further out is the same for all tasks.
const OUTERMOST: &str = "terzetto::core::run::run_loop";

/// This file below the folder of the crate's sources.
const THIS_FILE: &str = "observe/native_stack/names.rs";

/// One line for each call, the innermost first. Calls of the runtime that follow each other are one line. A function
/// that the compiler has put into another one has a line, too.
pub(super) fn lines(addresses: &[u64]) -> String {
    let (mut text, mut count, mut inside) = (String::new(), 0, false);
    for &address in addresses {
        let mut calls = Vec::new();
        // An address within a call; one is taken off, since return addresses are behind calls.
        let address = ptr::without_provenance_mut((address as usize).wrapping_add(1));
        backtrace::resolve(address, |symbol| calls.push(Call::of(symbol)));
        if calls.is_empty() {
            calls.push(Call { function: format!("{address:p}"), place: None });
        }
        for call in calls {
            if call.is_outermost() || count == MOST {
                return text;
            }
            let was_inside = inside;
            inside = call.is_of_runtime() || was_inside && call.is_glue();
            if was_inside && inside {
                continue;
            }
            count += 1;
            call.write(&mut text);
        }
    }
    text
}

struct Call {
    function: String,
    place: Option<String>,
}

impl Call {
    fn of(symbol: &backtrace::Symbol) -> Call {
        let name = symbol.name().map(|name| format!("{name:#}"));
        let file = symbol.filename().map(|file| file.display().to_string());
        let place = file.zip(symbol.lineno()).map(|(file, line)| format!("{file}:{line}"));
        Call { function: name.unwrap_or_else(|| "a function without a name".to_owned()), place }
    }

    /// Whether its source is in this file or folder of the crate. With debug information, a function that was put into
    /// another one has a place, but no path in its name.
    fn lies_in(&self, part: &str) -> bool {
        let Some((sources, place)) = file!().strip_suffix(THIS_FILE).zip(self.place.as_ref()) else {
            return false;
        };
        place.contains(&format!("{sources}{part}"))
    }

    fn is_outermost(&self) -> bool {
        self.function.starts_with(OUTERMOST) || self.lies_in("core/run/run_loop.rs")
    }

    /// Whether the reader need not know it.
    fn is_of_runtime(&self) -> bool {
        self.function.trim_start_matches('<').starts_with("terzetto::core::") || self.lies_in("core/")
    }

    /// Whether it is what other crates have between two calls of the runtime.
    fn is_glue(&self) -> bool {
        const NAMES: [&str; 6] = [
            "core::ops::function::",
            "core::future::",
            "core::panic::",
            "std::panic",
            "__rust_try",
            "stacker::",
        ];
        const PLACES: [&str; 4] = ["/core/src/ops/", "/core/src/panic", "/std/src/panic", "/stacker-"];
        let name = self.function.trim_start_matches('<');
        let place = self.place.as_deref().unwrap_or_default();
        NAMES.iter().any(|start| name.starts_with(start)) || PLACES.iter().any(|part| place.contains(part))
    }

    fn write(&self, to: &mut String) {
        // Writing into a string cannot fail.
        let _ = match (self.is_of_runtime(), &self.place) {
            (true, _) => writeln!(to, "    … the runtime …"),
            (false, Some(place)) => writeln!(to, "    {} at {place}", self.function),
            (false, None) => writeln!(to, "    {}", self.function),
        };
    }
}
