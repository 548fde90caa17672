//! PROC-06: what thousands of processes leave behind. Alone in its program, since it counts what the
//! whole program has.

use std::time::Instant;
use terzetto::{
    Error, move_on_after, nursery,
    process::{Command, Stdio, open_process, run_process, supervise},
    sleep,
    sync::CapacityLimiter,
};

/// The descriptors of this program, and its children, zombies among them.
fn count() -> std::io::Result<(usize, usize)> {
    let descriptors = std::fs::read_dir("/proc/self/fd")?.count();
    let me = std::process::id().to_string();
    let is_ours = |stat: String| {
        // After the name, which may contain anything: the state and the parent.
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&me)
    };
    let stats = std::fs::read_dir("/proc")?.flatten().map(|entry| entry.path().join("stat"));
    let children = stats.filter_map(|stat| std::fs::read_to_string(stat).ok()).filter(|s| is_ours(s.clone()));
    Ok((descriptors, children.count()))
}

/// One of the ways in which a process can be born and die.
async fn one(i: usize) -> Result<(), Error> {
    match i % 8 {
        0 => {
            // Cancelled amid its work.
            let sleeper = run_process(Command::new("sleep").arg("600").capture_stdout());
            assert!(move_on_after(0.001, sleeper).await?.is_none());
        }
        1 => {
            // Dropped while it runs.
            drop(open_process(Command::new("cat").stdin(Stdio::Piped).stdout(Stdio::Piped)).await?);
        }
        2 => drop(run_process(Command::new("terzetto-no-such-program")).await.unwrap_err()),
        3 => {
            nursery(async |n| {
                let cat = Command::new("cat").stdin(Stdio::Piped).stderr(Stdio::Piped);
                n.start(|status| supervise(cat, status)).await.map(drop)
            })
            .await?;
        }
        4 => {
            let process = open_process(Command::new("true")).await?;
            process.wait().await?;
        }
        5 => drop(run_process(Command::new("false")).await.unwrap_err()),
        _ => {
            let command = Command::new("cat").input("x").capture_stdout().capture_stderr();
            assert_eq!(run_process(command).await?.stdout, b"x");
        }
    }
    Ok(())
}

#[test]
fn proc_06_two_thousand_runs_leave_nothing_behind() {
    if terzetto_tests::under_thread_sanitizer() {
        return; // It counts children, and the sanitizer has one.
    }
    if !std::path::Path::new("/proc/self/fd").exists() {
        println!("skipped: no /proc to count descriptors and children in");
        return;
    }
    terzetto::run(async {
        // What is made once and kept.
        run_process(Command::new("true")).await?;
        let before = count()?;
        let limiter = CapacityLimiter::new(16);
        nursery(async |n| {
            for i in 0..2_000 {
                let limiter = &limiter;
                n.start_soon(async move {
                    let _loan = limiter.acquire().await?;
                    one(i).await
                });
            }
            Ok(())
        })
        .await?;
        // Those whose end is known hold no descriptor, even if they are kept.
        let mut kept = Vec::new();
        for _ in 0..20 {
            kept.push(open_process(Command::new("true")).await?);
            kept[kept.len() - 1].wait().await?;
        }
        // The last that were dropped may not be quite gone.
        let start = Instant::now();
        while count()? != before {
            assert!(start.elapsed().as_secs() < 30, "before: {before:?}, after: {:?}", count()?);
            sleep(0.02).await?;
        }
        drop(kept);
        Ok(())
    })
    .unwrap();
}
