//! Reading a file line by line.

use crate::{
    checkpoint,
    fs::{File, FileError},
};
use std::io::{self, ErrorKind};

/// How many bytes are read at once.
const CHUNK: usize = 65_536;

/// A file with a read buffer: one trip to a thread reads many lines.
///
/// ```
/// use terzetto::fs::{self, BufReader, File, TempDir};
/// terzetto::run(async {
///     let dir = TempDir::new().await?;
///     let path = dir.path().join("words");
///     fs::write(&path, "one\ntwo\n").await?;
///     let mut words = BufReader::new(File::open(&path).await?);
///     let mut lengths = Vec::new();
///     while let Some(word) = words.next_line().await? {
///         lengths.push(word.len());
///     }
///     assert_eq!(lengths, [3, 3]);
///     Ok(dir.close().await?)
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug)]
pub struct BufReader {
    file: File,
    capacity: usize,
    buffer: Vec<u8>,
    /// How many bytes of the buffer were given out.
    given: usize,
    /// How many bytes of it were searched for the end of a line.
    searched: usize,
}

impl BufReader {
    /// Reads `file` from its current position, 64 KiB at a time.
    pub fn new(file: File) -> BufReader {
        BufReader::with_capacity(CHUNK, file)
    }

    /// Reads `file` from its current position, `capacity` bytes at a time, at least one.
    pub fn with_capacity(capacity: usize, file: File) -> BufReader {
        BufReader { file, capacity: capacity.max(1), buffer: Vec::new(), given: 0, searched: 0 }
    }

    /// The file. Its position may be after the data that was given out, because the reader reads ahead.
    pub fn get_ref(&self) -> &File {
        &self.file
    }

    /// Returns the file. Data that was read ahead is lost.
    pub fn into_inner(self) -> File {
        self.file
    }

    /// Reads more data, and returns whether there was any.
    async fn fill(&mut self) -> Result<bool, FileError> {
        let chunk = self.file.read_chunk(self.capacity).await?;
        self.buffer.drain(..self.given);
        self.searched -= self.given;
        self.given = 0;
        self.buffer.extend_from_slice(&chunk);
        Ok(!chunk.is_empty())
    }

    fn give(&mut self, end: usize) -> Vec<u8> {
        let bytes = self.buffer[self.given..end].to_vec();
        (self.given, self.searched) = (end, end);
        bytes
    }

    /// Reads up to the next `delimiter` or the end of the file. The result includes the delimiter. Returns `None` at
    /// the end of the file.
    ///
    /// # Cancellation
    /// A checkpoint. If it is cancelled, or the future is dropped, no data is lost: the next call continues where this
    /// one stopped.
    ///
    /// # Errors
    /// The errors of [`File::read`].
    pub async fn next_until(&mut self, delimiter: u8) -> Result<Option<Vec<u8>>, FileError> {
        let mut has_read = false;
        loop {
            let rest = &self.buffer[self.searched..];
            if let Some(place) = rest.iter().position(|&byte| byte == delimiter) {
                if !has_read {
                    checkpoint().await?;
                }
                return Ok(Some(self.give(self.searched + place + 1)));
            }
            self.searched = self.buffer.len();
            if !self.fill().await? {
                let last = self.give(self.buffer.len());
                return Ok(Some(last).filter(|last| !last.is_empty()));
            }
            has_read = true;
        }
    }

    /// Reads the next line, without its end (`\n` or `\r\n`). Returns `None` at the end of the file.
    ///
    /// # Cancellation
    /// The same as [`BufReader::next_until`].
    ///
    /// # Errors
    /// The errors of [`File::read`]; [`InvalidData`](ErrorKind::InvalidData) if the line is not UTF-8. This line is
    /// then skipped.
    pub async fn next_line(&mut self) -> Result<Option<String>, FileError> {
        let Some(mut line) = self.next_until(b'\n').await? else { return Ok(None) };
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        let text = String::from_utf8(line);
        text.map(Some).map_err(|error| {
            let error = io::Error::new(ErrorKind::InvalidData, error.utf8_error());
            FileError::new("read a line of", self.file.path(), error)
        })
    }
}
