//! A long series in bounded memory: its own program, since memory belongs to the process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use terzetto_executor::{ExecutorAsync, Options, Topology, job::resident_bytes};

const ITEMS: usize = 100_000;

/// Counts itself and weighs something.
struct Item {
    alive: Arc<AtomicUsize>,
    _load: Vec<u8>,
}

impl Item {
    fn new(alive: &Arc<AtomicUsize>, most: &AtomicUsize) -> Item {
        most.fetch_max(alive.fetch_add(1, SeqCst) + 1, SeqCst);
        Item { alive: alive.clone(), _load: vec![1; 20_000] }
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, SeqCst);
    }
}

#[test]
fn a_long_series_holds_as_many_items_as_its_queues_and_no_more_memory_in_the_end() {
    let (workers, limit) = (3, 5);
    let (alive, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut topology = Topology::new("long");
    let [first, second, third] = ["first", "second", "third"].map(|name| topology.queue::<Item>(name));
    let (counted, peak) = (alive.clone(), most.clone());
    topology.source("make", &first, (0..ITEMS).map(move |n| (n.to_string(), Item::new(&counted, &peak))));
    topology.io("read", &first).to(&second).each(|_, item| Ok(item));
    topology.cpu("compute", &second).to(&third).each(|_, item| Ok(item));
    let (done, early, late) = (AtomicUsize::new(0), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (at_a_tenth, at_the_end) = (early.clone(), late.clone());
    topology.io("save", &third).each(move |_, item| {
        match done.fetch_add(1, SeqCst) + 1 {
            n if n == ITEMS / 10 => at_a_tenth.store(resident_bytes().unwrap_or(0), SeqCst),
            ITEMS => at_the_end.store(resident_bytes().unwrap_or(0), SeqCst),
            // Slower than the rest, now and then: everything before it would pile up.
            n if n % 1000 == 0 => thread::sleep(Duration::from_millis(1)),
            _ => {}
        }
        drop(item);
        Ok(())
    });
    let options = Options::new().max_workers(workers).queue_limit(limit);
    let outcome = terzetto::run(ExecutorAsync::new(topology, options).expect("sound").run());
    assert_eq!(outcome.expect("it runs").done, ITEMS);
    assert_eq!(alive.load(SeqCst), 0);
    // Three queues, and what workers have in hand at the end, where no queue bounds it.
    let bound = 3 * limit + workers * (limit / 2);
    let most = most.load(SeqCst);
    let (early, late) = (early.load(SeqCst) / 1024, late.load(SeqCst) / 1024);
    println!("{most} items at once, at most {bound}; {early} KB after a tenth, {late} KB at the end");
    assert!(most <= bound, "{most} items at once, at most {bound}");
    assert!(late < early + 4096, "{early} KB after a tenth, {late} KB at the end");
}
