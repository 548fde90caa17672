//! What a chart is made of, in bounded memory.

use std::time::{Duration, Instant};

use crate::{
    graph::{Key, Kind},
    run::{Statistics, WorkStatistics},
};

/// So many bins of time at most. When a run outlasts them, two neighbours become one.
const MOST_BINS: usize = 500;
/// The first width of a bin, in seconds.
const FIRST_WIDTH: f64 = 1e-3;
/// So many calls are kept at most. When there are more, the shorter half is dropped; the sums have them.
pub(super) const MOST_CALLS: usize = 10_000;

/// What happened in a bin.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bin {
    /// Of a work: the seconds of all calls. Of a queue: the sum of its lengths.
    pub(super) sum: f64,
    /// How many summands there are.
    pub(super) count: u64,
    /// The greatest length of a queue.
    pub(super) most: usize,
}

impl Bin {
    fn with(self, other: Bin) -> Bin {
        Bin { sum: self.sum + other.sum, count: self.count + other.count, most: self.most.max(other.most) }
    }
}

/// The sums of a work or a queue over time.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) bins: Vec<Bin>,
    /// Of a source or a global work: the seconds of its calls at the last look.
    busy: f64,
}

impl Series {
    fn new(name: &str) -> Series {
        Series { name: name.to_owned(), bins: Vec::new(), busy: 0.0 }
    }

    fn at(&mut self, bin: usize) -> &mut Bin {
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, Bin::default());
        }
        &mut self.bins[bin]
    }

    fn halve(&mut self) {
        let halved =
            self.bins.chunks(2).map(|pair| pair.iter().fold(Bin::default(), |all, bin| all.with(*bin)));
        self.bins = halved.collect();
    }
}

/// A call of a work with one item.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The place of the work's series.
    pub(super) work: usize,
    /// Seconds since the run began.
    pub(super) from: f64,
    pub(super) took: f64,
    pub(super) failed: bool,
    pub(super) key: Key,
}

#[derive(Debug)]
pub(super) struct Record {
    begun: Instant,
    /// How long the run took, once it has ended.
    ended: Option<f64>,
    /// Seconds of each bin.
    pub(super) width: f64,
    pub(super) works: Vec<Series>,
    pub(super) queues: Vec<Series>,
    pub(super) calls: Vec<Call>,
    /// Calls that took less are dropped.
    pub(super) least: f64,
    pub(super) left_out: u64,
    /// The last known numbers of the works, in the direction of flow.
    pub(super) numbers: Vec<WorkStatistics>,
    looked: f64,
}

impl Record {
    pub(super) fn new() -> Record {
        Record {
            begun: Instant::now(),
            ended: None,
            width: FIRST_WIDTH,
            works: Vec::new(),
            queues: Vec::new(),
            calls: Vec::new(),
            least: 0.0,
            left_out: 0,
            numbers: Vec::new(),
            looked: 0.0,
        }
    }

    /// Seconds from the beginning to the end, or to this moment.
    pub(super) fn elapsed(&self) -> f64 {
        self.ended.unwrap_or_else(|| self.begun.elapsed().as_secs_f64())
    }

    /// Makes the bins so wide that this time is in one of them. Returns which.
    fn bin_of(&mut self, time: f64) -> usize {
        while time >= self.width * MOST_BINS as f64 {
            self.width *= 2.0;
            self.works.iter_mut().chain(&mut self.queues).for_each(Series::halve);
        }
        (time / self.width) as usize
    }

    /// Adds seconds of a work to the bins between two times.
    fn add_busy(&mut self, work: usize, from: f64, to: f64, busy: f64) {
        let last = self.bin_of(to);
        let first = self.bin_of(from).min(last);
        let (width, series) = (self.width, &mut self.works[work]);
        if first == last || to <= from {
            series.at(last).sum += busy;
        } else {
            for bin in first..=last {
                let (start, end) = (bin as f64 * width, (bin + 1) as f64 * width);
                series.at(bin).sum += busy * (to.min(end) - from.max(start)) / (to - from);
            }
        }
    }

    fn place_of(list: &mut Vec<Series>, name: &str) -> usize {
        list.iter().position(|series| series.name == name).unwrap_or_else(|| {
            list.push(Series::new(name));
            list.len() - 1
        })
    }

    /// A call of a work has ended just now.
    pub(super) fn add_call(&mut self, work: &str, key: &Key, elapsed: Duration, failed: bool) {
        let now = self.begun.elapsed().as_secs_f64();
        self.add_call_until(now, work, key, elapsed, failed);
    }

    fn add_call_until(&mut self, to: f64, work: &str, key: &Key, elapsed: Duration, failed: bool) {
        let took = elapsed.as_secs_f64();
        let from = (to - took).max(0.0);
        let work = Record::place_of(&mut self.works, work);
        self.add_busy(work, from, to, took);
        let bin = self.bin_of(to);
        self.works[work].at(bin).count += 1;
        if took < self.least {
            self.left_out += 1;
            return;
        }
        self.calls.push(Call { work, from, took, failed, key: key.clone() });
        if self.calls.len() > MOST_CALLS {
            self.drop_short_calls();
        }
    }

    /// Drops the shorter half of the calls.
    fn drop_short_calls(&mut self) {
        let mut times: Vec<f64> = self.calls.iter().map(|call| call.took).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable_by(middle, f64::total_cmp);
        // Slightly more than the median, so that equal calls are dropped, too.
        self.least = *median * (1.0 + 1e-9) + f64::MIN_POSITIVE;
        let before = self.calls.len();
        self.calls.retain(|call| call.took >= self.least);
        self.left_out += (before - self.calls.len()) as u64;
    }

    /// Notes the lengths of the queues, and the times of works that are not told call by call.
    pub(super) fn add_statistics(&mut self, statistics: &Statistics) {
        let now = self.begun.elapsed().as_secs_f64();
        let bin = self.bin_of(now);
        for (name, length) in &statistics.waiting {
            let queue = Record::place_of(&mut self.queues, name);
            let bin = self.queues[queue].at(bin);
            *bin = bin.with(Bin { sum: *length as f64, count: 1, most: *length });
        }
        self.add_sums(now, &statistics.works);
        self.numbers.clone_from(&statistics.works);
    }

    fn add_sums(&mut self, now: f64, works: &[WorkStatistics]) {
        for numbers in works.iter().filter(|work| matches!(work.kind, Kind::Source | Kind::Global)) {
            let work = Record::place_of(&mut self.works, &numbers.work);
            let busy = numbers.busy.as_secs_f64();
            let more = busy - std::mem::replace(&mut self.works[work].busy, busy);
            if more > 0.0 {
                // It may have begun before the last look.
                self.add_busy(work, self.looked.min(now - more).max(0.0), now, more);
            }
        }
        self.looked = now;
    }

    pub(super) fn end(&mut self, elapsed: Duration, works: &[WorkStatistics]) {
        let elapsed = elapsed.as_secs_f64().max(self.looked);
        self.add_sums(elapsed, works);
        self.ended = Some(elapsed);
        self.numbers = works.to_vec();
    }

    /// The places of the works' series, in the direction of flow as far as it is known.
    pub(super) fn works_in_order(&self) -> Vec<usize> {
        let flow = |place: &usize| {
            let name = &self.works[*place].name;
            self.numbers.iter().position(|work| work.work == *name).unwrap_or(usize::MAX)
        };
        let mut places: Vec<usize> = (0..self.works.len()).collect();
        places.sort_by_key(flow);
        places
    }

    pub(super) fn numbers_of(&self, work: usize) -> Option<&WorkStatistics> {
        self.numbers.iter().find(|numbers| numbers.work == self.works[work].name)
    }

    /// The kept calls of a work, the earliest first, each with a lane: calls in one lane do not overlap.
    pub(super) fn lanes(&self, work: usize) -> Vec<(usize, &Call)> {
        let mut calls: Vec<&Call> = self.calls.iter().filter(|call| call.work == work).collect();
        calls.sort_by(|a, b| a.from.total_cmp(&b.from));
        let mut free_at: Vec<f64> = Vec::new();
        let placed = calls.into_iter().map(|call| {
            // Times are read apart from each other, so neighbours may seem to overlap a little.
            let free = free_at.iter().position(|at| *at <= call.from + 2e-6);
            let lane = free.unwrap_or_else(|| {
                free_at.push(0.0);
                free_at.len() - 1
            });
            free_at[lane] = call.from + call.took;
            (lane, call)
        });
        placed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(record: &Record) -> f64 {
        record.works.iter().flat_map(|work| &work.bins).map(|bin| bin.sum).sum()
    }

    #[test]
    fn gantt_02_a_million_calls_take_no_more_memory_than_ten_thousand() {
        let mut record = Record::new();
        let key = Key::from("item");
        for call in 0..1_000_000_u32 {
            let took = Duration::from_micros(u64::from(call % 1_000) + 1);
            record.add_call_until(f64::from(call) * 1e-2, "work", &key, took, false);
        }
        assert!(record.calls.len() <= MOST_CALLS && record.calls.len() >= MOST_CALLS / 4);
        assert!(record.works[0].bins.len() <= MOST_BINS);
        assert_eq!(record.calls.len() as u64 + record.left_out, 1_000_000);
        // The longest are there, and the sums are those of all.
        assert!(record.calls.iter().all(|call| call.took >= record.least) && record.least > 9e-4);
        assert!((busy(&record) - 500.5).abs() < 1e-3, "{}", busy(&record));
        assert_eq!(record.works[0].bins.iter().map(|bin| bin.count).sum::<u64>(), 1_000_000);
    }

    #[test]
    fn gantt_02_equal_calls_are_bounded_too() {
        let mut record = Record::new();
        for call in 0..30_000_u32 {
            record.add_call_until(
                f64::from(call),
                "work",
                &Key::from("item"),
                Duration::from_millis(1),
                false,
            );
        }
        assert!(record.calls.len() <= MOST_CALLS);
        assert_eq!(record.calls.len() as u64 + record.left_out, 30_000);
    }

    #[test]
    fn gantt_01_a_call_is_spread_over_the_bins_in_which_it_ran() {
        let mut record = Record::new();
        record.add_call_until(0.01, "work", &Key::from("item"), Duration::from_millis(8), false);
        let concurrency: Vec<f64> =
            record.works[0].bins.iter().map(|bin| (bin.sum / record.width * 10.0).round() / 10.0).collect();
        assert_eq!(concurrency[..2], [0.0, 0.0]);
        assert!(concurrency[2..10].iter().all(|calls| *calls == 1.0), "{concurrency:?}");
    }

    #[test]
    fn gantt_01_calls_in_one_lane_do_not_overlap() {
        let mut record = Record::new();
        for (to, took) in [(2.0, 1000), (2.5, 1000), (3.0, 900), (9.0, 5000)] {
            record.add_call_until(to, "work", &Key::from("item"), Duration::from_millis(took), false);
        }
        let lanes: Vec<usize> = record.lanes(0).into_iter().map(|(lane, _)| lane).collect();
        assert_eq!(lanes, [0, 1, 0, 0]);
    }
}
