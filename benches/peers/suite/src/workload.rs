//! What is done: the list of workloads, their names and their sizes.

use crate::measure::Metric;

/// A piece of work that every peer does in its own idiom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Starts tasks that end at once, and joins them.
    SpawnJoin,
    /// So many tasks yield in turns.
    Yield {
        /// How many tasks.
        tasks: usize,
    },
    /// Two tasks send a number forth and back over two channels.
    PingPong {
        /// What fits in each channel; with 0 the two meet.
        capacity: usize,
    },
    /// One task sends to another over a channel.
    Stream {
        /// What fits in the channel.
        capacity: usize,
    },
    /// One task sends to another over a channel of the capacity of a batch, a batch at a time; counted for each message.
    Batches {
        /// How many messages a batch has.
        size: usize,
    },
    /// One task sends to several, each of which gets every message, through a buffer of 100; counted for each message.
    Broadcast {
        /// How many tasks receive.
        receivers: usize,
    },
    /// A watched number grows, and several tasks wait for each number; counted for each number.
    Watch {
        /// How many tasks wait.
        tasks: usize,
    },
    /// Tasks yield once and return a number, and all numbers are collected; counted for each task.
    Gather {
        /// How many tasks at a time.
        tasks: usize,
    },
    /// Two pieces of code run until the first has ended, which yields once; the other one waits for nothing.
    Race,
    /// Tasks start, sleep until deadlines that are spread over a second, and are joined.
    Sleep,
    /// A time limit around something that is ready.
    TimeoutReady,
    /// A time limit around a yield.
    TimeoutYield,
    /// Calls of an empty function in a worker thread.
    Offload {
        /// How many tasks do so at once.
        tasks: usize,
    },
    /// Ends tasks that wait for nothing; counted from the cancellation till all have ended.
    CancelBlocked,
    /// Ends tasks that sleep for a minute.
    CancelSleeping,
    /// Enters nurseries, each in a task of the one above, and leaves them; counted for each level.
    NestEnter {
        /// How many nurseries.
        depth: usize,
    },
    /// Yields of one task at the bottom of nested nurseries.
    NestYield {
        /// How many nurseries.
        depth: usize,
    },
    /// A task at the bottom of nested nurseries is woken and wakes the one outside that woke it.
    NestWake {
        /// How many nurseries.
        depth: usize,
    },
    /// One of many tasks is woken and wakes the first one.
    WakeOne {
        /// How many tasks.
        tasks: usize,
    },
    /// Memory of tasks that wait for nothing.
    BytesBlocked,
    /// Memory of tasks that sleep for a minute.
    BytesSleeping,
}

/// A workload with its name and sizes.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name in commands and tables.
    pub name: &'static str,
    /// What is done.
    pub workload: Workload,
    /// What the table shows of it.
    pub metric: Metric,
    /// How many operations.
    pub n: usize,
    /// How many in a quick run.
    pub quick: usize,
}

const fn entry(name: &'static str, workload: Workload, metric: Metric, n: usize, quick: usize) -> Entry {
    Entry { name, workload, metric, n, quick }
}

/// Every workload that runs in one process, in the table's order.
#[rustfmt::skip]
pub const WORKLOADS: &[Entry] = &[
    entry("spawn-join", Workload::SpawnJoin, Metric::Cpu, 100_000, 100_000),
    entry("yield-1", Workload::Yield { tasks: 1 }, Metric::Cpu, 1_000_000, 100_000),
    entry("yield-1000", Workload::Yield { tasks: 1000 }, Metric::Cpu, 2_000_000, 200_000),
    entry("ping-pong-0", Workload::PingPong { capacity: 0 }, Metric::Cpu, 300_000, 50_000),
    entry("ping-pong-1", Workload::PingPong { capacity: 1 }, Metric::Cpu, 300_000, 50_000),
    entry("stream-100", Workload::Stream { capacity: 100 }, Metric::Cpu, 1_000_000, 200_000),
    entry("batches-100", Workload::Batches { size: 100 }, Metric::Cpu, 10_000_000, 1_000_000),
    entry("broadcast-10", Workload::Broadcast { receivers: 10 }, Metric::Cpu, 200_000, 50_000),
    entry("watch-10", Workload::Watch { tasks: 10 }, Metric::Cpu, 100_000, 20_000),
    entry("gather-100", Workload::Gather { tasks: 100 }, Metric::Cpu, 1_000_000, 100_000),
    entry("race-2", Workload::Race, Metric::Cpu, 500_000, 50_000),
    entry("sleep", Workload::Sleep, Metric::Cpu, 100_000, 100_000),
    entry("timeout-ready", Workload::TimeoutReady, Metric::Cpu, 1_000_000, 100_000),
    entry("timeout-yield", Workload::TimeoutYield, Metric::Cpu, 1_000_000, 100_000),
    entry("offload-1", Workload::Offload { tasks: 1 }, Metric::Wall, 20_000, 5_000),
    entry("offload-64", Workload::Offload { tasks: 64 }, Metric::Wall, 96_000, 19_200),
    entry("cancel-blocked", Workload::CancelBlocked, Metric::Cpu, 100_000, 100_000),
    entry("cancel-sleeping", Workload::CancelSleeping, Metric::Cpu, 100_000, 100_000),
    entry("nest-enter-1", Workload::NestEnter { depth: 1 }, Metric::Cpu, 300_000, 30_000),
    entry("nest-enter-10", Workload::NestEnter { depth: 10 }, Metric::Cpu, 300_000, 30_000),
    entry("nest-enter-100", Workload::NestEnter { depth: 100 }, Metric::Cpu, 300_000, 30_000),
    entry("nest-yield-1", Workload::NestYield { depth: 1 }, Metric::Cpu, 1_000_000, 100_000),
    entry("nest-yield-10", Workload::NestYield { depth: 10 }, Metric::Cpu, 500_000, 50_000),
    entry("nest-yield-100", Workload::NestYield { depth: 100 }, Metric::Cpu, 100_000, 10_000),
    entry("nest-wake-1", Workload::NestWake { depth: 1 }, Metric::Cpu, 500_000, 50_000),
    entry("nest-wake-10", Workload::NestWake { depth: 10 }, Metric::Cpu, 200_000, 20_000),
    entry("nest-wake-100", Workload::NestWake { depth: 100 }, Metric::Cpu, 50_000, 5_000),
    entry("wake-one-of-10", Workload::WakeOne { tasks: 10 }, Metric::Cpu, 500_000, 50_000),
    entry("wake-one-of-1k", Workload::WakeOne { tasks: 1_000 }, Metric::Cpu, 500_000, 50_000),
    entry("wake-one-of-100k", Workload::WakeOne { tasks: 100_000 }, Metric::Cpu, 500_000, 50_000),
    entry("wake-one-of-1M", Workload::WakeOne { tasks: 1_000_000 }, Metric::Cpu, 500_000, 50_000),
    entry("bytes-blocked", Workload::BytesBlocked, Metric::Bytes, 1_000_000, 200_000),
    entry("bytes-sleeping", Workload::BytesSleeping, Metric::Bytes, 1_000_000, 200_000),
];

impl Entry {
    /// The workload called `name`.
    pub fn named(name: &str) -> Option<&'static Entry> {
        WORKLOADS.iter().find(|entry| entry.name == name)
    }
}

impl Workload {
    /// How large a run comes before the one that counts, so that the allocator's pages and the worker
    /// threads are there. None where memory is what is measured, where it would take as long again, or where
    /// the workload itself begins with some that do not count.
    pub fn warm_up(self, n: usize) -> usize {
        match self {
            Workload::BytesBlocked | Workload::BytesSleeping | Workload::Sleep => 0,
            Workload::WakeOne { .. } | Workload::NestWake { .. } => 0,
            // Most of it is the memory of the tasks: a smaller run would leave most of that to the next.
            Workload::SpawnJoin | Workload::CancelBlocked | Workload::CancelSleeping => n,
            _ => n / 10,
        }
    }
}

/// The deadline of task `i` of the workload [`Workload::Sleep`], in milliseconds from its start.
pub fn spread_sleep(i: usize) -> u64 {
    500 + (i as u64 * 7919) % 1000
}
