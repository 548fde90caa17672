//! Runs and guests at the end of their thread, and hosts that wait while they let go of a guest.

use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};
use terzetto::{
    Builder,
    lowlevel::{GuestRun, GuestTick},
    nursery, sleep, sleep_forever,
};
use terzetto_tests::{OnDrop, within};

thread_local! {
    static KEPT: RefCell<Option<GuestRun>> = const { RefCell::new(None) };
}

/// Starts a guest and turns it until it sleeps.
fn asleep(ended: Arc<AtomicBool>) -> GuestRun {
    let (send, ticks) = mpsc::channel::<GuestTick>();
    let main = async move {
        nursery(async |n| {
            n.start_soon(async {
                let _ended = OnDrop(|| ended.store(true, SeqCst));
                Ok(sleep_forever().await?)
            });
            Ok(sleep(3_600.0).await?)
        })
        .await
    };
    let guest = Builder::new().start_guest(main, move |tick| drop(send.send(tick)), |_end| ()).unwrap();
    while let Ok(tick) = ticks.recv_timeout(Duration::from_millis(50)) {
        tick.run();
    }
    guest
}

#[test]
fn guest_a_guest_in_a_thread_local_ends_with_its_thread() {
    for touched_first in [true, false] {
        let ended = Arc::new(AtomicBool::new(false));
        let flag = ended.clone();
        let thread = thread::spawn(move || {
            if touched_first {
                KEPT.with_borrow(|kept| assert!(kept.is_none()));
            }
            let guest = asleep(flag);
            KEPT.set(Some(guest));
        });
        thread.join().unwrap();
        assert!(ended.load(SeqCst), "its tasks were dropped; touched first: {touched_first}");
    }
}

#[test]
fn guest_a_host_may_let_go_of_its_guest_while_it_is_asked_for_a_tick() {
    within(Duration::from_secs(10), || {
        // The host takes requests one at a time and blocks who asks meanwhile: a channel without room.
        let (send, ticks) = mpsc::sync_channel::<GuestTick>(0);
        let first = Mutex::new(None::<GuestTick>);
        let first = Arc::new(first);
        let (own, here) = (first.clone(), thread::current().id());
        let schedule = move |tick| match thread::current().id() == here {
            true => *own.lock().unwrap() = Some(tick),
            false => drop(send.send(tick)),
        };
        let main = async {
            sleep(0.05).await?;
            Ok(sleep_forever().await?)
        };
        let guest = Builder::new().start_guest(main, schedule, |_end: Result<(), _>| ()).unwrap();
        let tick = first.lock().unwrap().take().unwrap();
        tick.run();
        // The sleep is over by now, and the watcher asks; nobody listens.
        thread::sleep(Duration::from_millis(200));
        drop(guest);
        drop(ticks);
    });
}

#[test]
fn run_a_run_in_the_destructor_of_a_thread_local_works() {
    struct Runs(mpsc::Sender<Result<u8, String>>);
    impl Drop for Runs {
        fn drop(&mut self) {
            let ran = terzetto::run(async {
                sleep(0.001).await?;
                terzetto::to_thread::run_sync(|| 7u8).await
            });
            let _gone = self.0.send(ran.map_err(|error| error.to_string()));
        }
    }
    thread_local!(static RUNS: RefCell<Option<Runs>> = const { RefCell::new(None) });
    for touched_first in [true, false] {
        let (send, ran) = mpsc::channel();
        let thread = thread::spawn(move || {
            if touched_first {
                RUNS.with_borrow(|runs| assert!(runs.is_none()));
            }
            terzetto::run(async { Ok(sleep(0.001).await?) }).unwrap();
            RUNS.set(Some(Runs(send)));
        });
        thread.join().unwrap();
        assert_eq!(ran.recv().unwrap(), Ok(7), "touched first: {touched_first}");
    }
}
