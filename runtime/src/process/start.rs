//! The start of a process.

use crate::{
    Error,
    process::{
        Command, Process,
        child::Child,
        wiring::{Started, Wiring},
    },
    to_thread,
};

/// Starts a program, and leaves the rest to you; trio's `lowlevel.open_process`.
///
/// Its standard streams are inherited from this program, unless the command says otherwise. Streams that are
/// [`Stdio::Piped`](crate::process::Stdio::Piped) become streams of the [`Process`]. Its documentation says what
/// happens to the program when it is dropped.
///
/// # Cancellation
/// A checkpoint. If cancelled, nothing was started. If the future is dropped while the program is being started,
/// the program is killed.
///
/// # Errors
/// [`StartError`](crate::process::StartError); Cancelled; the system's errors.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{io::{ReceiveStream, SendStream}, process::{Command, Stdio, open_process}};
/// terzetto::run(async {
///     let cat = Command::new("cat").stdin(Stdio::Piped).stdout(Stdio::Piped);
///     let mut process = open_process(cat).await?;
///     let stdio = process.stdio().unwrap();
///     stdio.send_all(b"meow").await?;
///     let mut buffer = [0; 16];
///     assert_eq!(stdio.receive_some(&mut buffer).await?, 4);
///     drop(process.stdin.take()); // the end of its input
///     assert!(process.wait().await?.success());
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn open_process(command: Command<'_>) -> Result<Process, Error> {
    let name = command.describe();
    start(command.into_started()?, name).await
}

pub(super) async fn start(wiring: Wiring, name: String) -> Result<Process, Error> {
    let options = to_thread::options().name("spawn");
    // The command moves into the thread. Otherwise its copies of the child's ends would keep the pipes open.
    let spawned = options.run_sync(move || {
        let Started { child, stdin, stdout, stderr } = wiring.start()?;
        Ok::<_, crate::process::StartError>((Child::new(child), stdin, stdout, stderr))
    });
    let (child, stdin, stdout, stderr) = spawned.await??;
    Ok(Process::new(name, child, stdin, stdout, stderr)?)
}
