//! What the runtime wraps around a future takes the room of that future once, and a little.

use std::{hint::black_box, mem::size_of_val, process::Command};
use terzetto::{
    CancelScope, Error, TaskStatus, cancellable, checkpoint, fail_after, fail_at, move_on_after, move_on_at,
    nursery,
    sync::{ProducerReceiver, ProducerSender, with_producer},
    testing, to_thread,
};

/// No wrapper adds more than this.
const LITTLE: usize = 400;

type Block = [u8; 4096];

/// A future that takes a little more than a block.
async fn leaf() -> Result<(), Error> {
    let block: Block = [0; 4096];
    checkpoint().await?;
    black_box(&block);
    Ok(())
}

async fn started(block: Block, status: TaskStatus<()>) -> Result<(), Error> {
    status.started(())?;
    black_box(&block);
    Ok(())
}

/// The size of each wrapper around what is inside, and the size of that.
fn sizes() -> Vec<(&'static str, usize, usize)> {
    let inside = size_of_val(&leaf());
    let block: Block = [1; 4096];
    let mut rows = Vec::new();
    let mut row = |name, inside: usize, size: usize| rows.push((name, inside, size));
    let scope = CancelScope::new();
    row("CancelScope::run", inside, size_of_val(&scope.run(leaf())));
    row("move_on_after", inside, size_of_val(&move_on_after(1, leaf())));
    row("move_on_at", inside, size_of_val(&move_on_at(1.0, leaf())));
    row("fail_after", inside, size_of_val(&fail_after(1, leaf())));
    row("fail_at", inside, size_of_val(&fail_at(1.0, leaf())));
    row("cancellable", inside, size_of_val(&cancellable(leaf())));
    row("nursery, what its body awaits", inside, size_of_val(&nursery(async |_n| leaf().await)));
    let body = async move |_n: &terzetto::Nursery<'_, '_>| {
        black_box(&block);
        Ok(())
    };
    row("nursery, what its body has captured", size_of_val(&body), size_of_val(&nursery(body)));
    let producer = with_producer(
        async move |_sender: ProducerSender<u8>| {
            black_box(&block);
            Ok(())
        },
        async move |_receiver: ProducerReceiver<u8>| {
            black_box(&block);
            Ok(())
        },
    );
    row("with_producer", 2 * size_of::<Block>(), size_of_val(&producer));
    row("assert_checkpoints", inside, size_of_val(&testing::assert_checkpoints(leaf())));
    row("assert_no_checkpoints", inside, size_of_val(&testing::assert_no_checkpoints(leaf())));
    row("Sequencer::step", inside, size_of_val(&testing::Sequencer::new().step(0, leaf())));
    let job = to_thread::run_sync(move || black_box(block)[0]);
    row("to_thread::run_sync", size_of::<Block>(), size_of_val(&job));
    let job = to_thread::options().name("a job").run_sync(move || black_box(block)[0]);
    row("to_thread::Options::run_sync", size_of::<Block>(), size_of_val(&job));
    row("Receiver::receive", size_of::<Block>(), {
        let (_sender, receiver) = terzetto::channel::<Block>(1);
        size_of_val(&receiver.receive())
    });
    row("Sender::send", size_of::<Block>(), {
        let (sender, _receiver) = terzetto::channel::<Block>(1);
        size_of_val(&sender.send(block))
    });
    rows
}

#[test]
fn a_wrapper_takes_the_room_of_what_is_inside_once() {
    let too_large: Vec<_> = sizes().into_iter().filter(|(_, inside, size)| *size > inside + LITTLE).collect();
    assert!(too_large.is_empty(), "(name, inside, size): {too_large:?}");
}

#[test]
fn the_future_of_start_takes_the_room_of_its_task_once() {
    terzetto::run(async {
        nursery(async |n| {
            let block: Block = [0; 4096];
            let start = n.start(async move |status| started(block, status).await);
            let size = size_of_val(&start);
            start.await?;
            assert!(size <= 4096 + LITTLE, "{size}");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn nested_time_limits_add_up_and_do_not_multiply() {
    let inside = size_of_val(&leaf());
    let four = fail_after(1, fail_after(1, fail_after(1, fail_after(1, leaf()))));
    assert!(size_of_val(&four) <= inside + 4 * LITTLE, "{}", size_of_val(&four));
    let mixed = move_on_after(1, async {
        nursery(async |_n| {
            cancellable(fail_after(1, leaf())).await??;
            Ok(())
        })
        .await
    });
    assert!(size_of_val(&mixed) <= inside + 4 * LITTLE, "{}", size_of_val(&mixed));
}

/// Set in the process that is to live on a small stack; says what it does there.
const ON_A_SMALL_STACK: &str = "TERZETTO_TEST_SMALL_STACK";

const LARGE: usize = 1 << 20;

/// A future of a mebibyte.
async fn large() -> Result<(), Error> {
    let block = [1u8; LARGE];
    checkpoint().await?;
    black_box(&block);
    Ok(())
}

fn on_a_small_stack(what: &str) {
    let work: fn() = match what {
        "start_soon" => || {
            terzetto::run(nursery(async |n| {
                n.start_soon(large());
                Ok(())
            }))
            .unwrap();
        },
        "start_soon_named" => || {
            terzetto::run(nursery(async |n| {
                n.start_soon_named("large", large());
                Ok(())
            }))
            .unwrap();
        },
        "fail_after" => || {
            terzetto::run(nursery(async |n| {
                n.start_soon(fail_after(1, large()));
                Ok(())
            }))
            .unwrap();
        },
        other => panic!("nothing is known by the name {other}"),
    };
    // The future is made on the stack and handed over. Without optimisation each function that has it in hands
    // copies it. Making a time limit takes some functions.
    let copies = match (cfg!(debug_assertions), what) {
        (true, "fail_after") => 9,
        (true, _) => 3,
        (false, _) => 2,
    };
    let size = copies * LARGE + LARGE / 2;
    std::thread::Builder::new().stack_size(size).spawn(work).unwrap().join().unwrap();
}

#[test]
fn starting_a_task_copies_its_future_on_the_stack_no_more_than_it_must() {
    if let Ok(what) = std::env::var(ON_A_SMALL_STACK) {
        return on_a_small_stack(&what);
    }
    for what in ["start_soon", "start_soon_named", "fail_after"] {
        let name = "starting_a_task_copies_its_future_on_the_stack_no_more_than_it_must";
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(ON_A_SMALL_STACK, what)
            .output()
            .unwrap();
        assert!(ended.status.success(), "{what}: {}", String::from_utf8_lossy(&ended.stderr));
    }
}
