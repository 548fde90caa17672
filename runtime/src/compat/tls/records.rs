//! Where the records of TLS begin and end in the bytes from a transport.
//!
//! `rustls` consumes all bytes that it is given, even those after the other side's farewell. A caller that continues
//! with the bare transport after the farewell needs those bytes. So `rustls` is given one record after the other, and
//! none after the farewell.

/// A record begins with its type, a version, and its length.
const HEADER: usize = 5;

/// The position in a stream of records.
#[derive(Debug, Default)]
pub(super) struct Records {
    header: [u8; HEADER],
    /// How many bytes of the header have come.
    begun: usize,
    /// How many bytes of the body are still to come, once the header is known.
    left: usize,
}

impl Records {
    /// Returns how many of the next bytes belong to the record in which they begin. They count as taken.
    pub(super) fn take(&mut self, data: &[u8]) -> usize {
        let of_header = data.len().min(HEADER - self.begun);
        self.header[self.begun..self.begun + of_header].copy_from_slice(&data[..of_header]);
        self.begun += of_header;
        if self.begun < HEADER {
            return of_header;
        }
        if of_header > 0 {
            self.left = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
        }
        let of_body = self.left.min(data.len() - of_header);
        self.left -= of_body;
        if self.left == 0 {
            self.begun = 0;
        }
        of_header + of_body
    }
}

#[cfg(test)]
mod tests {
    use super::Records;

    /// Records with bodies of these lengths, one after the other.
    fn stream(lengths: &[u16]) -> Vec<u8> {
        let record = |&length: &u16| {
            let mut record = vec![23, 3, 3];
            record.extend(length.to_be_bytes());
            record.extend(vec![b'x'; length.into()]);
            record
        };
        lengths.iter().flat_map(record).collect()
    }

    #[test]
    fn records_end_where_they_should_however_they_are_cut() {
        let lengths = [3, 0, 300, 1];
        let data = stream(&lengths);
        for cut in [1, 2, 4, 5, 6, 7, 100, 1000] {
            let mut records = Records::default();
            let (mut ends, mut taken) = (Vec::new(), 0);
            for chunk in data.chunks(cut) {
                let mut unread = chunk;
                while !unread.is_empty() {
                    let part = records.take(unread);
                    assert!(part > 0);
                    unread = &unread[part..];
                    taken += part;
                    if records.begun == 0 {
                        ends.push(taken);
                    }
                }
            }
            assert_eq!(ends, [8, 13, 318, 324], "in pieces of {cut}");
        }
    }
}
