//! What has happened in the network, to compare two runs.

use std::cell::{Cell, RefCell};

/// The trace of a run. A fingerprint of it is always kept, the lines only if they are asked for.
pub(super) struct Trace {
    fingerprint: Cell<u64>,
    events: Cell<u64>,
    lines: RefCell<Option<Vec<String>>>,
}

impl Default for Trace {
    fn default() -> Trace {
        Trace { fingerprint: Cell::new(OFFSET), events: Cell::new(0), lines: RefCell::default() }
    }
}

/// The numbers of the hash function FNV-1a, which is the same on each machine.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Adds a number to a hash: FNV-1a with words in place of bytes.
fn add(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(PRIME);
    mixed ^ (mixed >> 29)
}

/// The hash of some bytes.
fn hash_of(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    words.fold(add(OFFSET, bytes.len() as u64), add)
}

impl Trace {
    pub(super) fn record_lines(&self) {
        self.lines.borrow_mut().get_or_insert_default();
    }

    /// Notes what has happened.
    pub(super) fn note(
        &self,
        time: f64,
        what: &'static str,
        from: Option<&str>,
        to: Option<&str>,
        number: u64,
        data: &[u8],
    ) {
        self.events.set(self.events.get() + 1);
        let of_data = hash_of(data);
        let names = [what, from.unwrap_or_default(), to.unwrap_or_default()];
        let hash =
            names.iter().fold(self.fingerprint.get(), |hash, name| add(hash, hash_of(name.as_bytes())));
        self.fingerprint.set([time.to_bits(), number, of_data].into_iter().fold(hash, add));
        if let Some(lines) = &mut *self.lines.borrow_mut() {
            let from = from.map(|from| format!(" {from}")).unwrap_or_default();
            let to = to.map(|to| format!(" → {to}")).unwrap_or_default();
            let mut line = format!("{time:.6} {what}{from}{to} #{number}");
            if !data.is_empty() {
                line += &format!(", {} bytes, {of_data:016x}", data.len());
            }
            lines.push(line);
        }
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint.get()
    }

    pub(super) fn events(&self) -> u64 {
        self.events.get()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone().unwrap_or_default()
    }
}
