//! EXPLORE: a program under many schedules.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, mpsc},
};
use terzetto::{
    Error, channel, checkpoint, from_thread,
    io::{Listener, ReceiveStream, SendStream, TcpListener, open_tcp_stream},
    lowlevel::Token,
    move_on_after, nursery, sleep,
    sync::{Event, Lock},
    testing::{Explore, explore, net::Network},
    to_thread,
};

/// The text of the panic with which a test of schedules fails.
fn failure(schedules: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(schedules)).unwrap_err();
    payload.downcast_ref::<String>().expect("a text").clone()
}

/// Tasks that begin later and later add one each.
async fn adds(tasks: usize) -> Result<(), Error> {
    let sum = Cell::new(0);
    nursery(async |n| {
        for late in 0..tasks {
            let sum = &sum;
            n.start_soon(async move {
                for _ in 0..late {
                    checkpoint().await?;
                }
                let read = sum.get();
                sum.set(read + 1);
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    assert_eq!(sum.get(), tasks);
    Ok(())
}

#[test]
fn explore_01_all_orders_of_a_batch_are_tried_once() {
    let seen = RefCell::new(HashSet::new());
    let explored = explore(async || {
        let order = RefCell::new(String::new());
        nursery(async |n| {
            for name in ["a", "b", "c", "d"] {
                let order = &order;
                n.start_soon(async move {
                    order.borrow_mut().push_str(name);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert!(seen.borrow_mut().insert(order.take()), "each order once");
        Ok(())
    });
    assert!(explored.all);
    assert_eq!((explored.schedules, seen.borrow().len()), (24, 24));
}

#[test]
fn explore_02_a_failure_in_one_of_many_orders_is_found_made_simple_and_repeated() {
    // It fails only if the last of five tasks is the first to run, twice in a row.
    let program = async || {
        let firsts = RefCell::new(Vec::new());
        for _ in 0..2 {
            let first = Cell::new(None);
            nursery(async |n| {
                for number in 0..5 {
                    let first = &first;
                    n.start_soon(async move {
                        first.set(first.get().or(Some(number)));
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
            firsts.borrow_mut().push(first.get());
        }
        assert_ne!(firsts.take(), [Some(4), Some(4)], "the order of doom");
        Ok(())
    };
    let text = failure(|| _ = Explore::new(program).schedules(30_000).run());
    assert!(text.contains("the order of doom"), "{text}");
    // Each nursery has four choices: the fifth task of five, then the first of those that are left.
    assert!(text.contains(".only([4, 0, 0, 0, 4])"), "{text}");
    let text = failure(|| _ = Explore::new(program).only([4, 0, 0, 0, 4]).run());
    assert!(text.contains("the order of doom"), "{text}");
    Explore::new(program).only([4, 0, 0, 0, 3]).run();
}

#[test]
fn explore_03_a_program_with_too_many_schedules_is_tried_at_random_too_and_says_so() {
    let starts = Cell::new(0);
    let explored = Explore::new(async || {
        starts.set(starts.get() + 1);
        adds(8).await
    })
    .schedules(50)
    .run();
    assert_eq!((explored.schedules, explored.all, starts.get()), (50, false, 50));
}

#[test]
fn explore_04_a_deadlock_of_two_locks_is_found() {
    let text = failure(|| {
        _ = explore(async || {
            let (one, other) = (Lock::new(), Lock::new());
            nursery(async |n| {
                for (first, second) in [(&one, &other), (&other, &one)] {
                    n.start_soon(async move {
                        // Whoever is quick enough to take both at once is safe.
                        let _first = first.acquire_nowait()?;
                        checkpoint().await?;
                        let _second = second.acquire().await?;
                        Ok(())
                    });
                }
                Ok(())
            })
            .await
        });
    });
    assert!(text.contains("never ended"), "{text}");
}

#[test]
fn explore_05_a_lost_wake_up_is_found() {
    // The signal is lost if it is given before anybody waits.
    let program = async || {
        let (waiting, event) = (Cell::new(false), RefCell::new(Event::new()));
        nursery(async |n| {
            n.start_soon(async {
                waiting.set(true);
                let event = event.borrow().clone();
                Ok(event.wait().await?)
            });
            n.start_soon(async {
                if waiting.get() {
                    event.borrow().set();
                }
                Ok(())
            });
            Ok(())
        })
        .await
    };
    let text = failure(|| _ = explore(program));
    assert!(text.contains("never ended") && text.contains(".only([1])"), "{text}");
}

#[test]
fn explore_06_a_right_program_passes_and_the_check_is_made_after_each_schedule() {
    let (received, checks) = (RefCell::new(Vec::new()), Cell::new(0));
    let explored = Explore::new(async || {
        received.take();
        let (sender, receiver) = channel(1);
        nursery(async |n| {
            let sender = &sender;
            for number in 0..3 {
                n.start_soon(async move { Ok(sender.send(number).await?) });
            }
            for _ in 0..3 {
                let number = receiver.receive().await?;
                received.borrow_mut().push(number);
                sleep(0.5).await?;
            }
            Ok(())
        })
        .await
    })
    .schedules(5000)
    .check(|| {
        let mut all = received.borrow().clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
        checks.set(checks.get() + 1);
    })
    .run();
    assert!(explored.all && explored.schedules > 6, "{explored:?}");
    assert_eq!(checks.get(), explored.schedules);
}

#[test]
fn explore_07_the_same_seed_tries_the_same_schedules() {
    let orders = |seed| {
        let seen = RefCell::new(Vec::new());
        Explore::new(async || {
            let order = RefCell::new(Vec::new());
            nursery(async |n| {
                for number in 0..9 {
                    let order = &order;
                    n.start_soon(async move {
                        order.borrow_mut().push(number);
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
            seen.borrow_mut().push(order.take());
            Ok(())
        })
        .schedules(20)
        .seed(seed)
        .run();
        seen.take()
    };
    assert_eq!(orders(1), orders(1));
    assert!(orders(1) != orders(2));
}

/// Fails if the last of some tasks is the first in so many batches, one after the other.
async fn fails_if_one_task_is_always_first(batches: usize) -> Result<(), Error> {
    let wins = Cell::new(0);
    let round = Cell::new(0);
    let won_in = Cell::new(0);
    nursery(async |n| {
        for number in 0..4 {
            let (wins, round, won_in) = (&wins, &round, &won_in);
            n.start_soon(async move {
                for own_round in 1..=batches {
                    if round.replace(own_round) != own_round {
                        won_in.set(number);
                        wins.set(wins.get() + usize::from(number == 3));
                    }
                    checkpoint().await?;
                }
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    assert!(wins.get() < batches, "always the first");
    Ok(())
}

#[test]
fn explore_08_priorities_find_a_task_that_is_always_early_and_the_failure_is_repeated_by_choices() {
    // At random each of the sixteen batches would have to fall out right: once in four thousand million schedules.
    let text = failure(|| {
        _ = Explore::new(async || fails_if_one_task_is_always_first(16).await).schedules(400).depth(1).run();
    });
    assert!(text.contains("always the first"), "{text}");
    let choices = text.split_once(".only([").and_then(|(_, rest)| rest.split_once("])")).expect("choices").0;
    let choices: Vec<usize> = choices.split(", ").map(|choice| choice.parse().expect("a number")).collect();
    let again = failure(|| {
        _ = Explore::new(async || fails_if_one_task_is_always_first(16).await).only(choices).run();
    });
    assert!(again.contains("always the first"), "{again}");
    let refused = catch_unwind(|| Explore::new(async || Ok(())).depth(0));
    assert!(refused.is_err());
}

#[test]
fn explore_09_jobs_of_threads_are_done_in_each_order_and_on_the_clock_of_the_run() {
    let (orders, seen_times) = (RefCell::new(HashSet::new()), RefCell::new(HashSet::new()));
    let program = async || {
        let order = Arc::new(Mutex::new(Vec::new()));
        let began = terzetto::current_time();
        nursery(async |n| {
            for number in 0..3 {
                let order = order.clone();
                n.start_soon(async move {
                    to_thread::run_sync(move || order.lock().unwrap().push(number)).await?;
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        seen_times.borrow_mut().insert(((terzetto::current_time() - began) * 1e6).round() as u64);
        let order = order.lock().unwrap().clone();
        assert_eq!(order.len(), 3);
        orders.borrow_mut().insert(order);
        Ok(())
    };
    Explore::new(program).schedules(400).run();
    assert_eq!(orders.borrow().len(), 6, "each order of three jobs");
    let times = seen_times.take();
    assert!(times.contains(&0) && times.contains(&1_000_000), "{times:?}");
    // A job can be later than a timeout, or earlier.
    let outcomes = RefCell::new(HashSet::new());
    let explored = explore(async || {
        let abandoned = to_thread::options().abandon_on_cancel(true).run_sync(|| ());
        let ended = move_on_after(0.5, abandoned).await?.is_some();
        outcomes.borrow_mut().insert(ended);
        Ok(())
    });
    assert!(explored.all);
    assert_eq!(outcomes.borrow().len(), 2);
}

#[test]
fn explore_10_a_race_of_two_threads_is_found_and_repeats() {
    // The balance is read in one job and written in another.
    let program = async || {
        let balance = Arc::new(Mutex::new(0));
        nursery(async |n| {
            for _ in 0..2 {
                let balance = balance.clone();
                n.start_soon(async move {
                    let (reads, writes) = (balance.clone(), balance);
                    let read = to_thread::run_sync(move || *reads.lock().unwrap()).await?;
                    to_thread::run_sync(move || *writes.lock().unwrap() = read + 1).await?;
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!(*balance.lock().unwrap(), 2, "an update is lost");
        Ok(())
    };
    let told = || failure(|| _ = explore(program));
    let text = told();
    assert!(text.contains("an update is lost"), "{text}");
    assert_eq!(text, told());
}

#[test]
fn explore_11_a_simulated_thread_may_call_back_and_does_its_job_if_nobody_waits() {
    let done = Arc::new(Mutex::new(0));
    let explored = Explore::new(async || {
        *done.lock().unwrap() = 0;
        nursery(async |n| {
            for _ in 0..2 {
                n.start_soon(async {
                    let answer = to_thread::run_sync(|| {
                        let slept = from_thread::run(async || {
                            sleep(1.0).await?;
                            Ok(terzetto::current_task().name().to_owned())
                        });
                        from_thread::run_sync(|| ())?;
                        slept
                    });
                    answer.await??;
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        // By a token, a system task does the call.
        let token = Token::current();
        to_thread::run_sync(move || token.run_sync(|| ())).await??;
        let (abandons, counts) = (to_thread::options().abandon_on_cancel(true), done.clone());
        move_on_after(0.0001, abandons.run_sync(move || *counts.lock().unwrap() += 1)).await?;
        Ok(())
    })
    .schedules(300)
    .check(|| assert_eq!(*done.lock().unwrap(), 1))
    .run();
    assert!(explored.schedules > 20, "{explored:?}");
}

#[test]
fn explore_12_a_job_that_waits_for_another_job_is_told_and_does_not_hang() {
    let program = async || {
        let (send, receive) = mpsc::channel();
        nursery(async |n| {
            n.start_soon(async { to_thread::run_sync(move || _ = receive.recv()).await });
            n.start_soon(async { to_thread::run_sync(move || _ = send.send(())).await });
            Ok(())
        })
        .await
    };
    let text = failure(|| _ = Explore::new(program).only([]).run());
    assert!(text.contains("a job must not wait for another job"), "{text}");
}

#[test]
fn explore_13_ready_streams_of_the_simulated_network_come_in_each_order() {
    let orders = RefCell::new(HashSet::new());
    let explored = Explore::new(async || {
        let network = Network::install(1)?;
        let order = RefCell::new(Vec::new());
        nursery(async |n| {
            let server = network.host("server");
            let order = &order;
            let serve = async move {
                let listener = TcpListener::bind(([0, 0, 0, 0], 80))?;
                let streams = [listener.accept().await?, listener.accept().await?];
                nursery(async |readers| {
                    for stream in &streams {
                        readers.start_soon(async move {
                            let mut name = [0; 1];
                            stream.receive_some(&mut name).await?;
                            order.borrow_mut().push(name[0]);
                            Ok(())
                        });
                    }
                    Ok(())
                })
                .await
            };
            n.start_soon(async move { server.run(serve).await });
            network
                .host("client")
                .run(async {
                    sleep(1.0).await?;
                    let (one, two) =
                        (open_tcp_stream("server", 80).await?, open_tcp_stream("server", 80).await?);
                    sleep(1.0).await?;
                    one.send_all(b"1").await?;
                    two.send_all(b"2").await?;
                    Ok(sleep(1.0).await?)
                })
                .await
        })
        .await?;
        orders.borrow_mut().insert(order.take());
        Ok(())
    })
    .schedules(200)
    .run();
    assert_eq!(orders.borrow().len(), 2, "{explored:?}: {orders:?}");
}
