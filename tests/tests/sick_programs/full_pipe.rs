//! A program writes all of its data into a process before it reads what the process writes back. Both pipes are full,
//! and each of the two waits for the other.

use super::{assert_says, keep};
use terzetto::{
    Builder, blocked_report,
    io::SendStream,
    nursery,
    process::{Command, Stdio, open_process},
    sleep,
};

#[cfg(target_os = "linux")]
#[test]
fn see_29_a_full_pipe_is_named_as_one_that_has_no_room() {
    Builder::new()
        .run(nursery(async |n| {
            let command = Command::new("cat").stdin(Stdio::Piped).stdout(Stdio::Piped);
            let process = open_process(command).await?;
            let input = process.stdin.as_ref().unwrap();
            // More than both pipes hold.
            let data = vec![0; 1_000_000];
            let mut fed = std::pin::pin!(input.send_all(&data));
            let mut looked = std::pin::pin!(async {
                sleep(0.3).await?;
                let report = blocked_report();
                keep(10, "report of blocked tasks, while it runs", file!(), &report);
                assert_says(
                    &report,
                    &[
                        "task main",
                        "waiting for a file descriptor (a pipe (descriptor ",
                        "until it has room to be written",
                    ],
                );
                // Nobody reads.
                assert!(!report.contains("until it can be read"), "{report}");
                Ok::<(), terzetto::Error>(())
            });
            match futures_util::future::select(fed.as_mut(), looked.as_mut()).await {
                futures_util::future::Either::Left(_) => panic!("the pipes hold less"),
                futures_util::future::Either::Right((looked, _)) => looked?,
            }
            process.kill()?;
            n.cancel_scope().cancel();
            Ok(())
        }))
        .unwrap();
}
