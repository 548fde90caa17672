//! Entering a scope, and polling the future inside it.

use crate::{
    Error,
    core::{
        cancel::state::{ScopeStage, ScopeState},
        ids::ScopeId,
        misuse::polled_after_its_end,
        poll_tree::stack::Deep,
        run,
        run::Run,
    },
};
use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// A scope that has been entered. Leaving it, in whatever way, removes it from the tree.
pub(crate) struct Entered {
    pub(super) cell: Rc<ScopeState>,
    pub(super) run: Rc<Run>,
    pub(super) id: ScopeId,
    /// Whether the deadline has yet to be added to the run's table.
    unarmed: Cell<bool>,
}

impl Entered {
    pub(crate) fn new(run: Rc<Run>, cell: Rc<ScopeState>) -> Entered {
        assert!(
            cell.stage.get() == ScopeStage::New,
            "a cancel scope can be entered only once; make a new `CancelScope`"
        );
        let relative = cell.relative.replace(f64::INFINITY);
        if relative == f64::INFINITY {
            cell.check_deadline(|| run.clock.now());
        } else {
            let now = run.clock.now();
            cell.deadline.set(now + relative);
            cell.check_deadline(|| now);
        }
        let id = run.scopes.enter(cell.clone(), run.tree.current.get());
        cell.stage.set(ScopeStage::Entered(run.id, id));
        let unarmed = cell.deadline.get() < f64::INFINITY;
        run.unarmed.set(run.unarmed.get() + usize::from(unarmed));
        Entered { cell, run, id, unarmed: Cell::new(unarmed) }
    }

    /// Adds the deadline to the run's table. This happens after the first poll of the future inside, if that has not
    /// ended. Nobody looks at the table before that, and mostly the deadline is not needed at all.
    #[inline]
    fn arm(&self) {
        if self.unarmed.get() {
            self.disarm();
            self.cell.update_timer();
        }
    }

    pub(super) fn disarm(&self) {
        let unarmed = usize::from(self.unarmed.replace(false));
        self.run.unarmed.set(self.run.unarmed.get() - unarmed);
    }

    pub(crate) fn id(&self) -> ScopeId {
        self.id
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.exit();
    }
}

pin_project_lite::pin_project! {
    /// A future and the scope around it: the future of
    /// [`CancelScope::run`](crate::core::cancel::scope::CancelScope::run).
    ///
    /// It is not an `async fn`, since an `async fn` stores its argument twice: once as the argument, once where it is
    /// awaited. Four nested time limits made a future sixteen times as large as the one inside them.
    // The fields are dropped in this order: the future inside goes before the scope is left.
    pub(crate) struct InScope<F> {
        #[pin]
        inside: Deep<F>,
        // `Some` until the first poll.
        before: Option<Rc<ScopeState>>,
        // `Some` from the first poll until the end.
        entered: Option<Entered>,
    }
}

impl<F> InScope<F> {
    /// The first poll will enter the scope.
    pub(crate) fn new(cell: Rc<ScopeState>, inside: F) -> InScope<F> {
        InScope { inside: Deep::new(inside), before: Some(cell), entered: None }
    }
}

impl<T, F: Future<Output = Result<T, Error>>> Future for InScope<F> {
    type Output = Result<Option<T>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(cell) = this.before.take() {
            *this.entered = Some(Entered::new(run::current(), cell));
        }
        let Some(entered) = this.entered else { polled_after_its_end() };
        let run = &entered.run;
        run.follow(entered.id());
        let within = run.scopes.within(entered.id());
        let Poll::Ready(outcome) = this.inside.as_mut().poll(cx) else {
            drop(within);
            entered.arm();
            return Poll::Pending;
        };
        this.inside.clear();
        drop(within);
        let Some(entered) = this.entered.take() else { polled_after_its_end() };
        Poll::Ready(entered.close(outcome))
    }
}
