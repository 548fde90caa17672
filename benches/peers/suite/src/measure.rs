//! What is measured, and the clock it is measured with.

use cpu_time::ProcessTime;
use std::{
    fs,
    time::{Duration, Instant},
};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Nanoseconds of wall time for one operation.
    Wall,
    /// Nanoseconds of CPU time of the whole process, all its threads, for one operation.
    Cpu,
    /// Bytes of resident memory for one task.
    Bytes,
    /// Requests answered in a second.
    Rate,
    /// Microseconds of CPU time of the server for one request.
    ServerCpu,
    /// Latency of requests in microseconds: half of them are faster.
    P50,
    /// Latency of requests in microseconds: one of a hundred is slower.
    P99,
    /// Latency of requests in microseconds: one of a thousand is slower.
    P999,
    /// Size of a stripped program in KiB.
    Size,
    /// CPU seconds of a clean build, dependencies included.
    Build,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 10] = [
        Metric::Wall,
        Metric::Cpu,
        Metric::Bytes,
        Metric::Rate,
        Metric::ServerCpu,
        Metric::P50,
        Metric::P99,
        Metric::P999,
        Metric::Size,
        Metric::Build,
    ];

    /// The name in the programs' output and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Wall => "ns",
            Metric::Cpu => "cpu-ns",
            Metric::Bytes => "bytes",
            Metric::Rate => "requests/s",
            Metric::ServerCpu => "cpu-us",
            Metric::P50 => "p50-us",
            Metric::P99 => "p99-us",
            Metric::P999 => "p99.9-us",
            Metric::Size => "KiB",
            Metric::Build => "cpu-s",
        }
    }

    /// The metric called `name`.
    pub fn named(name: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        self == Metric::Rate
    }
}

/// What one run of a workload has measured.
pub type Figures = Vec<(Metric, f64)>;

/// Wall and CPU time since its start.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    wall: Instant,
    cpu: ProcessTime,
}

impl Stopwatch {
    /// Starts one.
    pub fn start() -> Stopwatch {
        Stopwatch { cpu: ProcessTime::now(), wall: Instant::now() }
    }

    /// The time since the start for each of `operations`.
    pub fn per(self, operations: usize) -> Figures {
        let (wall, cpu) = (self.wall.elapsed(), self.cpu.elapsed());
        let each = |time: Duration| time.as_nanos() as f64 / operations as f64;
        vec![(Metric::Wall, each(wall)), (Metric::Cpu, each(cpu))]
    }
}

/// Growth of resident memory since its start.
#[derive(Debug, Clone, Copy)]
pub struct Scales {
    before: f64,
}

impl Scales {
    /// Weighs the process.
    pub fn start() -> Scales {
        Scales { before: resident_bytes() }
    }

    /// The growth since the start for each of `tasks`.
    pub fn per(self, tasks: usize) -> Figures {
        vec![(Metric::Bytes, (resident_bytes() - self.before) / tasks as f64)]
    }
}

/// What of this process is in memory, as Linux tells it.
fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|line| line.trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib * 1024.0)
}
