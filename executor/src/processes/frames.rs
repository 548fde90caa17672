//! What a pool and its processes write to each other: frames of a header and bytes.
//!
//! ```text
//! request   ?  length, 8 bytes, little end first   bytes
//! answer    +  length                              bytes of the value
//! answer    -  length                              text of the error
//! ```

/// A process writes this when it is ready. What it has printed before does not count.
pub(super) const GREETING: &[u8] = b"\0terzetto serves\n";

/// The bytes before those of a request or an answer.
pub(super) const HEADER: usize = 9;

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Value,
    Error,
}

/// The header of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub answer: Answer,
    pub length: u64,
}

impl Header {
    /// `None` if these bytes are no header of an answer.
    pub fn parse(bytes: [u8; HEADER]) -> Option<Header> {
        let [first, length @ ..] = bytes;
        let answer = match first {
            b'+' => Answer::Value,
            b'-' => Answer::Error,
            _ => return None,
        };
        Some(Header { answer, length: u64::from_le_bytes(length) })
    }

    pub fn bytes(self) -> [u8; HEADER] {
        let first = if self.answer == Answer::Value { b'+' } else { b'-' };
        with_length(first, self.length)
    }
}

pub(super) fn request_header(length: usize) -> [u8; HEADER] {
    with_length(b'?', length as u64)
}

/// The length of a request. `None` if these bytes are no header of a request.
pub(super) fn request_length(bytes: [u8; HEADER]) -> Option<u64> {
    let [first, length @ ..] = bytes;
    (first == b'?').then(|| u64::from_le_bytes(length))
}

fn with_length(first: u8, length: u64) -> [u8; HEADER] {
    let mut bytes = [first; HEADER];
    bytes[1..].copy_from_slice(&length.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_were_written() {
        for header in
            [Header { answer: Answer::Value, length: 0 }, Header { answer: Answer::Error, length: u64::MAX }]
        {
            assert_eq!(Header::parse(header.bytes()), Some(header));
        }
        assert_eq!(request_length(request_header(300)), Some(300));
        assert_eq!(Header::parse(request_header(1)), None);
        assert_eq!(request_length(Header { answer: Answer::Value, length: 1 }.bytes()), None);
    }
}
