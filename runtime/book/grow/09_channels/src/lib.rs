// Step 9: values from task to task.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    mem::take,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use step_07::{Error, cancellable};

struct State<T> {
    values: VecDeque<T>,
    capacity: usize,
    senders: usize,
    receivers: usize,
    /// Tasks that wait for any change. All of them are woken, and look. (The real channel hands a value to one task,
    /// and wakes only that.)
    waiting: Vec<Waker>,
}

impl<T> State<T> {
    fn changed(&mut self) {
        take(&mut self.waiting).into_iter().for_each(Waker::wake);
    }

    fn wait<U>(&mut self, cx: &Context<'_>) -> Poll<U> {
        self.waiting.push(cx.waker().clone());
        Poll::Pending
    }
}

pub struct Sender<T>(Rc<RefCell<State<T>>>);

pub struct Receiver<T>(Rc<RefCell<State<T>>>);

/// A channel that holds up to `capacity` values, at least one.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = State {
        values: VecDeque::new(),
        capacity: capacity.max(1),
        senders: 1,
        receivers: 1,
        waiting: Vec::new(),
    };
    let state = Rc::new(RefCell::new(state));
    (Sender(state.clone()), Receiver(state))
}

impl<T> Sender<T> {
    /// Waits for room. If it is cancelled, nothing was sent.
    pub async fn send(&self, value: T) -> Result<(), Error> {
        let mut value = Some(value);
        let sent = poll_fn(|cx| {
            let mut state = self.0.borrow_mut();
            if state.receivers == 0 {
                return Poll::Ready(Err(Error::Failed("nobody receives".into())));
            }
            if state.values.len() >= state.capacity {
                return state.wait(cx);
            }
            state.values.extend(value.take());
            state.changed();
            Poll::Ready(Ok(()))
        });
        cancellable(sent).await?
    }
}

impl<T> Receiver<T> {
    /// The next value, or `None` when all senders are gone. If it is cancelled, nothing was taken.
    pub async fn next(&self) -> Result<Option<T>, Error> {
        let received = poll_fn(|cx| {
            let mut state = self.0.borrow_mut();
            match state.values.pop_front() {
                Some(value) => {
                    state.changed();
                    Poll::Ready(Some(value))
                }
                None if state.senders == 0 => Poll::Ready(None),
                None => state.wait(cx),
            }
        });
        cancellable(received).await
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.borrow_mut().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.borrow_mut();
        state.senders -= 1;
        state.changed();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.borrow_mut();
        state.receivers -= 1;
        state.changed();
    }
}

#[cfg(test)]
mod tests {
    use super::channel;
    use std::time::Duration;
    use step_04::run;
    use step_07::{Error, move_on_after, nursery};

    #[test]
    fn values_arrive_in_order_and_the_channel_ends_with_its_senders() {
        let outcome = run(nursery(async |n| {
            let (sender, receiver) = channel(2);
            n.start_soon(async move {
                for i in 0..10 {
                    sender.send(i).await?;
                }
                Ok(())
            });
            let mut got = Vec::new();
            while let Some(i) = receiver.next().await? {
                got.push(i);
            }
            Ok(got)
        }));
        assert_eq!(outcome, Ok(Some((0..10).collect())));
    }

    #[test]
    fn a_full_channel_holds_its_sender_back_and_a_cancelled_send_has_sent_nothing() {
        let outcome = run(async {
            let (sender, receiver) = channel(1);
            sender.send(1).await?;
            let second = move_on_after(Duration::from_millis(5), sender.send(2)).await?;
            assert_eq!(second, None);
            drop(sender);
            assert_eq!((receiver.next().await?, receiver.next().await?), (Some(1), None));
            Ok::<_, Error>(())
        });
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn a_send_without_receivers_fails() {
        let (sender, receiver) = channel(1);
        drop(receiver);
        assert_eq!(run(sender.send(1)), Err(Error::Failed("nobody receives".into())));
    }
}
