use std::{
    cell::Cell,
    future::poll_fn,
    mem::forget,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    task::Poll,
};
use tokio::task::{LocalSet, spawn_local, yield_now};

/// What the task is to use. In place of a reference, the task gets a flag: it says whether the words still exist.
struct Words(Rc<Cell<bool>>);

impl Drop for Words {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A block whose task runs from the queue of the runtime. The future of the block waits for the task.
async fn block(words: &Words, fails: bool) {
    let exist = words.0.clone();
    let task = spawn_local(async move {
        yield_now().await;
        println!("  the task uses the words, which {}", if exist.get() { "exist" } else { "are gone" });
    });
    yield_now().await;
    assert!(!fails, "the block fails");
    task.await.expect("the task does not panic");
}

/// Polls a future once. Says whether it has panicked.
async fn panics(future: &mut Pin<Box<impl Future>>) -> bool {
    poll_fn(|cx| Poll::Ready(catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx).is_ready())).is_err()))
        .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let ways = async {
        for way in ["awaited", "forgotten", "dropped", "left by a panic"] {
            println!("the block is {way}:");
            {
                let words = Words(Rc::new(Cell::new(true)));
                let mut block = Box::pin(block(&words, way == "left by a panic"));
                match way {
                    "awaited" => block.await,
                    _ => {
                        // The task is started. In the second poll the third block fails.
                        assert!(!panics(&mut block).await);
                        println!("  its second poll panics: {}", panics(&mut block).await);
                        if way == "forgotten" {
                            forget(block);
                        }
                    }
                }
            }
            // The words have gone out of scope. The runtime runs the task.
            yield_now().await;
            yield_now().await;
        }
    };
    LocalSet::new().run_until(ways).await;
}
