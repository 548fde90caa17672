//! The process's side of a pool.

use std::{
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::mpsc,
    thread,
};

use super::frames::{Answer, GREETING, HEADER, Header, request_length};
use crate::graph::{BoxError, panic_text};

/// The status of a process whose pool speaks another language, or whose pipe fails.
const FAILED: i32 = 2;

/// Answers the requests of a [`ProcessPool`](super::ProcessPool) that has started this process, until it is killed or
/// the pool's program ends, even if that is killed. Never returns.
///
/// `work` is called with one request after the other. Its error, or its panic, is the error of the item, and the
/// process goes on. It must not print to the standard output, where answers go, nor read the standard input.
///
/// When the pool's program is gone, the process ends at once ([`process::exit`]), also in the middle of a call.
pub fn serve(mut work: impl FnMut(&[u8]) -> Result<Vec<u8>, BoxError>) -> ! {
    let (sender, requests) = mpsc::channel();
    // A thread reads, so that the end of the input is noticed while a call runs.
    let reader = thread::Builder::new().name("requests".into()).spawn(move || {
        loop {
            match read_request(&mut io::stdin().lock()) {
                // It fails if no call is made any more: then this process is ending.
                Ok(Some(request)) => drop(sender.send(request)),
                Ok(None) => process::exit(0),
                Err(_) => process::exit(FAILED),
            }
        }
    });
    if reader.is_err() || write(&[GREETING]).is_err() {
        process::exit(FAILED);
    }
    for request in requests {
        let result = catch_unwind(AssertUnwindSafe(|| work(&request)));
        let (answer, bytes) = match result {
            Ok(Ok(value)) => (Answer::Value, value),
            Ok(Err(error)) => (Answer::Error, error.to_string().into_bytes()),
            Err(payload) => (Answer::Error, format!("panicked: {}", panic_text(&*payload)).into_bytes()),
        };
        let header = Header { answer, length: bytes.len() as u64 };
        if write(&[&header.bytes(), &bytes]).is_err() {
            process::exit(FAILED);
        }
    }
    process::exit(0)
}

/// The next request. `None` at the end of the input.
fn read_request(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; HEADER];
    match input.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = request_length(header).ok_or(io::ErrorKind::InvalidData)?;
    let mut request = Vec::new();
    let read = input.take(length).read_to_end(&mut request)?;
    // The pool was ended while it wrote.
    Ok((read as u64 == length).then_some(request))
}

fn write(parts: &[&[u8]]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    parts.iter().try_for_each(|part| output.write_all(part))?;
    output.flush()
}
