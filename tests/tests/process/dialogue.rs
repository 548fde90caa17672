//! PROC-02: pipes as streams.

use super::*;
use terzetto::{
    io::SendStream,
    process::{Stdio, open_process},
};

#[test]
fn proc_02_a_dialogue_with_an_interactive_child() {
    const SCRIPT: &str = r#"while read a b; do echo $((a * b)); done; echo bye >&2; exit 9"#;
    terzetto::run(async {
        let pipes =
            |command: Command<'static>| command.stdin(Stdio::Piped).stdout(Stdio::Piped).stderr(Stdio::Piped);
        let mut process = open_process(pipes(sh(SCRIPT))).await?;
        assert!(process.poll()?.is_none());
        for (a, b) in [(2, 3), (17, 4), (100, 100)] {
            process.stdin.as_ref().unwrap().send_all(format!("{a} {b}\n").as_bytes()).await?;
            assert_eq!(read_line(process.stdout.as_ref().unwrap()).await?, (a * b).to_string());
        }
        // The same pipes as one stream.
        let stdio = process.stdio().unwrap();
        stdio.send_all(b"6 7\n").await?;
        let mut buffer = [0; 16];
        assert_eq!(stdio.receive_some(&mut buffer).await?, 3);
        assert_eq!(&buffer[..3], b"42\n");
        drop(process.stdin.take());
        assert!(process.stdio().is_none());
        assert_eq!(read_to_end(process.stderr.as_ref().unwrap()).await?, b"bye\n");
        assert_eq!(process.wait().await?.code(), Some(9));
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_02_streams_exist_only_where_asked_for() {
    terzetto::run(async {
        let process = open_process(Command::new("true")).await?;
        assert!(process.stdin.is_none() && process.stdout.is_none() && process.stderr.is_none());
        process.wait().await?;
        let process = open_process(sh("echo x; echo y >&2").stdout(Stdio::Piped).stderr_to_stdout()).await?;
        assert!(process.stderr.is_none());
        assert_eq!(read_to_end(process.stdout.as_ref().unwrap()).await?, b"x\ny\n");
        Ok(())
    })
    .unwrap();
}
