//! Size and build time of the smallest server of each peer.

use crate::{
    plan::Planned,
    results::{Results, Sample},
};
use std::{fs, io, process::Command};
use terzetto_peers::measure::Metric;

/// Builds each server from nothing, with its dependencies, and weighs it.
pub fn measure(results: &mut Results, say: fn(&str)) -> io::Result<()> {
    for peer in ["terzetto", "tokio", "smol", "monoio"] {
        say(&format!("build of echo-{peer}"));
        let target = format!("target/benches/build-{peer}");
        if fs::exists(&target)? {
            fs::remove_dir_all(&target)?;
        }
        let program = format!("echo-{peer}");
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--release", "--locked"]);
        cargo.args(["--manifest-path", "benches/peers/Cargo.toml", "-p", "terzetto-echo"]);
        cargo.args(["--features", peer, "--bin", &program, "--target-dir", &target]);
        cargo.args(["--config", "profile.release.strip=true", "--config", "profile.release.debug=false"]);
        let before = cpu_seconds_of_children()?;
        if !cargo.status()?.success() {
            return Err(io::Error::other(format!("building {program} failed")));
        }
        let seconds = cpu_seconds_of_children()? - before;
        let bytes = fs::metadata(format!("{target}/release/{program}"))?.len();
        fs::remove_dir_all(&target)?;
        // Both drivers are in the one program.
        let peer = if peer == "monoio" { "monoio-epoll" } else { peer };
        let mut add = |name: &str, metric, value| {
            let planned = Planned { name: name.to_owned(), shown: vec![metric], jobs: Vec::new() };
            results.add(&planned, &Sample { peer, size: "1", metric, value });
        };
        add("echo-size", Metric::Size, bytes as f64 / 1024.0);
        add("echo-build", Metric::Build, seconds);
    }
    Ok(())
}

/// CPU time of the processes that this one has waited for, as Linux counts it in hundredths.
fn cpu_seconds_of_children() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is a name in parentheses; the children's times are the 16th and 17th.
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}
