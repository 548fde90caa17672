//! Which worker does which job: the bookkeeping of a pool of workers, without the threads.
//!
//! Two aims are in conflict. A job must not wait until another job has ended, as if each job had its own thread. But
//! waking a thread costs many times as much as a short job. So jobs go through a queue, and the length of the queue
//! is bounded: it never holds more jobs than there are free workers. A worker is free if it sleeps or *searches*. It
//! searches if it is done with a job, or was woken, and has not yet looked at the queue. A job that would make the
//! queue longer than that is refused, and needs a new worker.
//!
//! Sleepers must be woken, but one at a time is enough. While a worker searches, no other is woken. A worker that
//! takes a job and leaves others in the queue first wakes the next sleeper, if no worker searches. So as long as
//! there are jobs in the queue, a worker is on its way to it. A few workers do a burst of short jobs, one after the
//! other, and the rest sleep on. (The schedulers of Go and tokio, which steal work, limit their wake-ups in the same
//! way.)

use std::collections::VecDeque;

/// What happens to a new job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Brought<J, S> {
    /// It is in the queue, and a worker searches.
    Queued,
    /// It is in the queue, and this sleeper must be woken.
    Wakes(S),
    /// No worker is free for it.
    Refused(J),
}

/// Jobs `J` in a queue, and sleeping workers `S`.
pub(super) struct Pool<J, S> {
    jobs: VecDeque<J>,
    /// The worker that fell asleep last is on top. Its stack and caches are warm. The others can reach their idle limit
    /// and leave.
    asleep: Vec<S>,
    /// How many workers are on the way to the queue.
    searching: usize,
}

impl<J, S> Pool<J, S> {
    pub(super) const fn new() -> Self {
        Pool { jobs: VecDeque::new(), asleep: Vec::new(), searching: 0 }
    }

    /// Takes a new job.
    pub(super) fn bring(&mut self, job: J) -> Brought<J, S> {
        if self.jobs.len() == self.asleep.len() + self.searching {
            return Brought::Refused(job);
        }
        self.jobs.push_back(job);
        self.call().map_or(Brought::Queued, Brought::Wakes)
    }

    /// A busy worker is done. It takes the next job, and is told which sleeper to wake for the job after that. If
    /// there is no job, the worker searches from now on.
    pub(super) fn next(&mut self) -> Option<(J, Option<S>)> {
        self.searching += 1;
        let found = self.look();
        self.searching += usize::from(found.is_none());
        found
    }

    /// A worker that searches looks into the queue, and this ends its search. After that it is busy, or must
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

    /// The first sleeper that is `meant` has woken by itself. It searches from now on. The result is `None` if it was
    /// called already.
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

    /// Calls a sleeper if there are jobs and no worker searches. The sleeper searches from now on.
    fn call(&mut self) -> Option<S> {
        if self.searching > 0 || self.jobs.is_empty() {
            return None;
        }
        // There is a sleeper, since at least as many workers are free as there are jobs.
        let worker = self.asleep.pop()?;
        self.searching = 1;
        Some(worker)
    }
}

#[cfg(test)]
mod tests {
    use super::{Brought, Pool};
    use std::collections::HashSet;

    /// Workers are all alike here, so a state is how many of them do what.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    struct Crowd {
        jobs: usize,
        asleep: usize,
        searching: usize,
        busy: usize,
    }

    impl Crowd {
        fn pool(self) -> Pool<(), ()> {
            Pool {
                jobs: vec![(); self.jobs].into(),
                asleep: vec![(); self.asleep],
                searching: self.searching,
            }
        }

        fn after(pool: &Pool<(), ()>, busy: usize) -> Crowd {
            Crowd { jobs: pool.jobs.len(), asleep: pool.asleep.len(), searching: pool.searching, busy }
        }

        /// Somebody brings a job; refused, it is for a new worker.
        fn bring(self) -> Crowd {
            let mut pool = self.pool();
            let refused = matches!(pool.bring(()), Brought::Refused(()));
            assert_eq!(refused, self.jobs == self.asleep + self.searching, "{self:?}");
            Crowd::after(&pool, self.busy + usize::from(refused))
        }

        /// A busy worker is done with its job.
        fn next(self) -> Crowd {
            let mut pool = self.pool();
            let found = pool.next().is_some();
            assert_eq!(found, self.jobs > 0, "a free worker does not pass a job by: {self:?}");
            Crowd::after(&pool, self.busy - usize::from(!found))
        }

        /// A worker that searches looks into the queue, and if it is empty stays or leaves.
        fn look(self, stays: bool) -> Crowd {
            let mut pool = self.pool();
            let found = pool.look().is_some();
            assert_eq!(found, self.jobs > 0, "{self:?}");
            if !found && stays {
                pool.sleep(());
            }
            Crowd::after(&pool, self.busy + usize::from(found))
        }

        /// A sleeper wakes by itself.
        fn wake(self) -> Crowd {
            let mut pool = self.pool();
            assert!(pool.wake(|()| true).is_some());
            Crowd::after(&pool, self.busy)
        }

        fn wake_all(self) -> Crowd {
            let mut pool = self.pool();
            assert_eq!(pool.wake_all().len(), self.asleep);
            Crowd::after(&pool, self.busy)
        }

        /// What may happen next, to any of the workers.
        fn successors(self) -> Vec<Crowd> {
            let mut all = vec![self.bring(), self.wake_all()];
            if self.busy > 0 {
                all.push(self.next());
            }
            if self.searching > 0 {
                all.extend([self.look(true), self.look(false)]);
            }
            if self.asleep > 0 {
                all.push(self.wake());
            }
            all
        }
    }

    /// Whatever has happened, in every order, up to five workers and five jobs.
    #[test]
    fn no_job_waits_for_another_to_end() {
        let start = Crowd { jobs: 0, asleep: 0, searching: 0, busy: 0 };
        let (mut seen, mut todo) = (HashSet::from([start]), vec![start]);
        while let Some(crowd) = todo.pop() {
            assert!(crowd.jobs <= crowd.asleep + crowd.searching, "one free worker for each job: {crowd:?}");
            assert!(crowd.jobs == 0 || crowd.searching > 0, "somebody is on the way: {crowd:?}");
            // If no busy worker is ever done, all jobs are begun, by looks alone.
            let mut stuck = crowd;
            while stuck.searching > 0 {
                stuck = stuck.look(true);
            }
            assert_eq!((stuck.jobs, stuck.busy), (0, crowd.busy + crowd.jobs), "{crowd:?}");
            for next in crowd.successors() {
                let workers = next.asleep + next.searching + next.busy;
                if workers <= 5 && seen.insert(next) {
                    todo.push(next);
                }
            }
        }
        assert!(seen.len() > 50, "{}", seen.len());
    }

    #[test]
    fn jobs_come_in_order_and_sleepers_last_first() {
        let mut pool = Pool::new();
        assert_eq!(pool.bring('a'), Brought::Refused('a'), "there is nobody");
        for worker in 1..=3 {
            pool.sleep(worker);
        }
        assert_eq!(pool.bring('a'), Brought::Wakes(3));
        assert_eq!(pool.bring('b'), Brought::Queued, "one wakes already");
        assert_eq!(pool.bring('c'), Brought::Queued);
        assert_eq!(pool.bring('d'), Brought::Refused('d'), "three are free for three");
        assert_eq!(pool.look(), Some(('a', Some(2))), "who takes one wakes the next");
        assert_eq!(pool.next(), Some(('b', None)), "who is done takes the next, and one wakes already");
        assert_eq!(pool.look(), Some(('c', None)));
        assert_eq!(pool.wake(|&worker| worker == 2), None, "called before");
        assert_eq!(pool.wake(|&worker| worker == 1), Some(1));
        assert_eq!(pool.look(), None);
        assert_eq!((pool.next(), pool.look()), (None, None));
    }
}
