use std::cell::RefCell;
use terzetto::{Builder, Error, Receiver, Sender, channel, nursery, sleep, testing::MockClock};

/// A topic: each subscriber gets every message from its subscription on.
struct Topic<T: 'static> {
    subscribers: RefCell<Vec<Sender<T>>>,
}

impl<T: Clone> Topic<T> {
    fn new() -> Topic<T> {
        Topic { subscribers: RefCell::default() }
    }

    /// At most so many messages wait for the subscriber.
    fn subscribe(&self, backlog: usize) -> Receiver<T> {
        let (sender, receiver) = channel(backlog);
        self.subscribers.borrow_mut().push(sender);
        receiver
    }

    /// A subscriber that is gone, or that is too slow, is left out from now on. Nobody waits for it.
    fn publish(&self, message: T) {
        self.subscribers.borrow_mut().retain(|subscriber| subscriber.send_nowait(message.clone()).is_ok());
    }

    /// Subscribers get their last messages, and then the end.
    fn close(&self) {
        self.subscribers.borrow_mut().clear();
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let topic = Topic::new();
        nursery(async |n| {
            for (name, seconds) in [("quick", 0.0), ("slow", 5.0)] {
                let messages = topic.subscribe(2);
                n.start_soon(async move {
                    while let Some(message) = messages.next().await? {
                        println!("{name} has {message}");
                        sleep(seconds).await?;
                    }
                    println!("{name} is at the end");
                    Ok(())
                });
            }
            for message in 1..=5 {
                topic.publish(message);
                sleep(1).await?;
            }
            topic.close();
            Ok(())
        })
        .await
    })
}
