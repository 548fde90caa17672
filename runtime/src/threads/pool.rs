//! Who does which job: the bookkeeping of a pool of workers, without the threads.
//!
//! Two things are wanted that pull apart. A job must not wait behind another one's execution, as if each
//! had a thread of its own; and waking a thread is dear, many times the cost of a short job. So jobs go
//! through a queue, and what is bounded is its length: never more jobs in it than workers that are free.
//! A worker is free if it sleeps or *searches*: it is done with a job, or was woken, and has yet to
//! look at the queue. A job that would make the queue longer than that is refused, and needs a new worker.
//!
//! Whoever sleeps must be woken, but one after the other is enough: while somebody searches, nobody else
//! is woken. Who takes a job and leaves others behind wakes the next sleeper first, if nobody else
//! searches. So as long as there are jobs in the queue somebody is on the way to it, and a burst of
//! short jobs is done by a few workers, each of which goes from job to job, while the many sleep on.
//! (Schedulers that steal work restrain their wake-ups in the same way: Go's, Tokio's.)

use std::collections::VecDeque;

/// What becomes of a job that was brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Brought<J, S> {
    /// It is in the queue, and somebody searches.
    Queued,
    /// It is in the queue, and this sleeper must be woken.
    Wakes(S),
    /// Nobody is free for it.
    Refused(J),
}

/// Jobs `J` in a queue, and sleeping workers `S`.
pub(super) struct Pool<J, S> {
    jobs: VecDeque<J>,
    /// The one that fell asleep last on top: its stack and caches are warm, and the others can grow old
    /// and leave.
    asleep: Vec<S>,
    /// How many workers are on the way to the queue.
    searching: usize,
}

impl<J, S> Pool<J, S> {
    pub(super) const fn new() -> Self {
        Pool { jobs: VecDeque::new(), asleep: Vec::new(), searching: 0 }
    }

    /// Somebody brings a job.
    pub(super) fn bring(&mut self, job: J) -> Brought<J, S> {
        if self.jobs.len() == self.asleep.len() + self.searching {
            return Brought::Refused(job);
        }
        self.jobs.push_back(job);
        self.call().map_or(Brought::Queued, Brought::Wakes)
    }

    /// A busy worker is done: takes the next job, and says who must be woken for the one after it. If
    /// there is none, the worker searches from now on.
    pub(super) fn next(&mut self) -> Option<(J, Option<S>)> {
        self.searching += 1;
        let found = self.look();
        self.searching += usize::from(found.is_none());
        found
    }

    /// A worker that searches looks into the queue, which ends its search: it is busy now, or must
    /// [fall asleep](Pool::sleep) or leave.
    pub(super) fn look(&mut self) -> Option<(J, Option<S>)> {
        self.searching -= 1;
        let job = self.jobs.pop_front()?;
        Some((job, self.call()))
    }

    /// A worker that has looked and found nothing falls asleep.
    pub(super) fn sleep(&mut self, worker: S) {
        self.asleep.push(worker);
    }

    /// Of the sleepers, the first that is `meant` has woken by itself. None if it had been called
    /// already. It searches from now on.
    pub(super) fn wake(&mut self, meant: impl FnMut(&S) -> bool) -> Option<S> {
        let place = self.asleep.iter().position(meant)?;
        self.searching += 1;
        Some(self.asleep.remove(place))
    }

    /// All sleepers must be woken. They search.
    pub(super) fn wake_all(&mut self) -> Vec<S> {
        self.searching += self.asleep.len();
        std::mem::take(&mut self.asleep)
    }

    /// Calls a sleeper if there are jobs and nobody searches. It searches from now on.
    fn call(&mut self) -> Option<S> {
        if self.searching > 0 || self.jobs.is_empty() {
            return None;
        }
        // There is one: as many are free as there are jobs.
        let worker = self.asleep.pop()?;
        self.searching = 1;
        Some(worker)
    }
}
