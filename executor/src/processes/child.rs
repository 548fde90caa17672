//! One process: it is started, its output is read, and it is waited for.

use std::{process::ExitStatus, time::Duration};

use terzetto::{
    CancelScope, Cancelled, Error, current_time,
    io::{ReceiveStream, StreamError},
    nursery,
    process::{Command, Stdio, open_process},
};

use super::running::RunningProcesses;

/// Starts a process, calls `line` with each line of its output, and waits for its end.
///
/// The standard input of the process stays open while this process lives. When it closes, the process knows
/// that its supervisor has ended.
///
/// A process may start others that outlive it and keep its output open. So the output is read until the process
/// has ended, and for `grace` after that at most.
///
/// # Cancellation
/// A process that has been started is waited for all the same.
///
/// # Errors
/// The system's error if the process cannot be started or waited for.
pub(super) async fn run(
    command: std::process::Command,
    running: &RunningProcesses,
    grace: Duration,
    mut line: impl FnMut(&str),
) -> Result<ExitStatus, Error> {
    let command = Command::from_std(command).stdin(Stdio::Piped).stdout(Stdio::Piped);
    // A Ctrl-C at the terminal must reach the supervisor alone, which forwards it once. So the process has a
    // process group of its own.
    let mut process = open_process(command.process_group(0)).await?;
    let output = process.stdout.take();
    let child = running.add(process);
    let (shield, reading) = (CancelScope::new().shielded(true), CancelScope::new());
    let (line, reading_) = (&mut line, &reading);
    let ended = shield.run(nursery(async |nursery| {
        if let Some(output) = output {
            nursery.start_soon_named("reader", async move {
                let read = reading_.run(async { Ok(read_lines(&output, line).await?) }).await?;
                if read.is_none() {
                    log::warn!(
                        "a process has ended, but something that it has started holds its output open"
                    );
                }
                Ok(())
            });
        }
        let status = child.process.wait().await?;
        reading_.set_deadline(current_time() + grace.as_secs_f64());
        Ok(status)
    }));
    ended.await?.ok_or_else(|| Error::msg("the shield was cancelled, which nothing does"))
}

/// Calls `line` with each line, until the end of the output. If reading fails, the rest is lost: the process
/// must be waited for all the same.
async fn read_lines(output: &impl ReceiveStream, line: &mut impl FnMut(&str)) -> Result<(), Cancelled> {
    let (mut text, mut buffer) = (Vec::new(), vec![0; 4096]);
    loop {
        let n = match output.receive_some(&mut buffer).await {
            Ok(n) => n,
            Err(StreamError::Cancelled(cancelled)) => return Err(cancelled),
            Err(error) => {
                log::warn!("the output of a process cannot be read any more: {error}");
                0
            }
        };
        text.extend_from_slice(&buffer[..n]);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            line(&String::from_utf8_lossy(&text[..end]));
            text.drain(..=end);
        }
        if n == 0 {
            break;
        }
    }
    if !text.is_empty() {
        line(&String::from_utf8_lossy(&text));
    }
    Ok(())
}
