//! PROC: child processes. The subject is real programs, so time is real where nothing else is said.

mod cancel;
mod dialogue;
mod errors;
mod logged;
mod nursery;
mod run;
mod wait;

use terzetto::{
    Error, fail_after,
    io::{PipeReceiver, ReceiveStream, StreamError},
    process::Command,
    signal::Signal,
    sleep,
};

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

fn sh<'a>(script: &str) -> Command<'a> {
    Command::new("sh").arg("-c").arg(script)
}

/// Whether a process of this number exists, a zombie or not.
fn exists(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

async fn until_gone(pid: u32) -> Result<(), Error> {
    let gone = async {
        while exists(pid) {
            sleep(0.005).await?;
        }
        Ok(())
    };
    fail_after(30.0, gone).await
}

async fn read_to_end(pipe: &PipeReceiver) -> Result<Vec<u8>, StreamError> {
    let (mut all, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match pipe.receive_some(&mut chunk).await? {
            0 => return Ok(all),
            n => all.extend_from_slice(&chunk[..n]),
        }
    }
}

async fn read_line(pipe: &PipeReceiver) -> Result<String, Error> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while pipe.receive_some(&mut byte).await? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    Ok(String::from_utf8(line)?)
}
