//! The way of a poll down the tree: from the run loop to a nursery, to one of its strands, to a nursery in that.
//!
//! What runs asks who it is (`current_task`) and which scope it is in, and a nursery asks whether anybody above
//! it has something to do (see [`in_place`](super::in_place)). All three change where a poll comes to another
//! nursery, and are put back where it goes up again.

use super::{
    run::Run,
    scope::{ScopeId, Within},
    strand::{Due, Strand},
    task::Task,
    waker::StrandId,
};

/// A poll that has come down to a nursery.
pub(crate) struct Descent<'a> {
    run: &'a Run,
    /// The strand above, whose future the nursery is part of.
    above: Option<StrandId>,
    /// Whether all strands above are polled only for one nursery below each.
    straight: bool,
    _within: Within<'a>,
}

impl Run {
    /// Comes to a nursery whose strands are polled in `scope`.
    #[inline]
    pub(crate) fn descend(&self, scope: ScopeId) -> Descent<'_> {
        let (above, straight) = (self.strands.current.get(), self.strands.straight.get());
        Descent { run: self, above, straight, _within: self.scopes.within(scope) }
    }
}

impl Descent<'_> {
    /// Polls one of the strands by `poll`, and tells instruments if that is a step of its task. Until the
    /// descent [is back](Descent::back) the strand is the current one.
    #[inline]
    pub(crate) fn step<R>(&self, strand: &Strand, due: Due, poll: impl FnOnce() -> R) -> R {
        let Run { strands, instruments, .. } = self.run;
        strands.current.set(strand.id());
        strands.straight.set(self.straight && due == Due::ForOneBelow);
        let is_step = due == Due::ForItself;
        if is_step {
            instruments.tell(|instrument| instrument.before_task_step(&Task::of(strand)));
        }
        let polled = poll();
        if is_step && instruments.are_there() {
            tell_of_step(self.run, strand);
        }
        polled
    }

    /// Comes back from a strand to the nursery.
    #[inline]
    pub(crate) fn back(&self) {
        self.run.strands.current.set(self.above);
        self.run.strands.straight.set(self.straight);
    }
}

/// Tells instruments that a task has made a step.
#[cold]
fn tell_of_step(run: &Run, strand: &Strand) {
    let task = Task::of(strand);
    let tell = || run.instruments.tell(|instrument| instrument.after_task_step(&task));
    match task.is_alive() {
        true => tell(),
        false => run.strands.with_ended(&task, tell),
    }
}

impl Drop for Descent<'_> {
    #[inline]
    fn drop(&mut self) {
        self.back();
    }
}
