//! Running a program: as an ordinary run, or as the guest of a host's loop.

use super::{
    hold::Hold,
    interpret::Task,
    objects::Objects,
    outside_words::OutsideAction,
    program::{Block, Program},
    trace::shape,
    watch::Hooks,
};
use serde_json::{Value, json};
use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
    sync::{Mutex, PoisonError, mpsc},
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, Error,
    lowlevel::{GuestTick, spawn_system_task},
    sleep_until,
    testing::MockClock,
};

/// When tasks that nobody else would cancel are cancelled, in case a program waits for ever.
const LIMIT: f64 = 50.0;

/// How long a host waits for its guest to ask for a tick.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a program is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By [`Builder::run`].
    Ordinary,
    /// In a loop of our own, as a guest.
    Guest,
}

thread_local! {
    /// The objects of the program that this thread runs. Calls from threads find them here.
    static CURRENT: RefCell<Option<Rc<Objects>>> = const { RefCell::new(None) };
}

/// The objects of the program that this thread runs.
pub(super) fn current() -> Rc<Objects> {
    CURRENT.with_borrow(|current| current.clone()).expect("a program runs on this thread")
}

/// Runs a program on a mock clock and returns its trace.
pub fn run(program: &Rc<Program>, mode: Mode) -> Value {
    // Signals come to all runs of a process.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = program.uses_signals.then(|| ALONE.lock().unwrap_or_else(PoisonError::into_inner));
    if program.uses_signals {
        OutsideAction::ignore_what_nobody_takes();
    }
    let hooks = Rc::new(Hooks::default());
    let builder = Builder::new().clock(MockClock::autojump()).ctrl_c(program.uses_signals);
    let builder = if program.watch.hooks { builder.instrument(hooks.clone()) } else { builder };
    let place: Rc<OnceCell<Rc<Objects>>> = Rc::default();
    let main = whole(program.clone(), place.clone());
    let outcome = match mode {
        Mode::Ordinary => builder.run(main),
        Mode::Guest => as_guest(builder, main),
    };
    CURRENT.set(None);
    let trace = place.get().map(|objects| objects.trace.take()).unwrap_or_default();
    let mut found =
        json!({ "tasks": trace, "outcome": outcome.map_or_else(|e| shape(&e), |()| json!("ok")) });
    if program.watch.hooks {
        found["hooks"] = json!(hooks.0.take());
    }
    found
}

async fn whole(program: Rc<Program>, place: Rc<OnceCell<Rc<Objects>>>) -> Result<(), Error> {
    let objects = place.get_or_init(|| Rc::new(Objects::new(&program))).clone();
    CURRENT.set(Some(objects.clone()));
    if program.gates > 0 {
        spawn_system_task("opens all gates", open_all_at(LIMIT + 5.0, objects.hold.clone()))?;
    }
    let outcome = limited(&objects, "main", &program.main).await;
    objects.hold.finish();
    outcome
}

/// Runs a task that nobody else would cancel.
pub(super) async fn limited(objects: &Objects, name: &str, block: &Block) -> Result<(), Error> {
    let scope = CancelScope::with_deadline(LIMIT);
    scope.run(Task::new(objects, name).whole(block)).await.map(drop)
}

/// No thread waits for ever.
async fn open_all_at(time: f64, hold: Hold) -> Result<(), Error> {
    sleep_until(time).await?;
    hold.open_all();
    Ok(())
}

fn as_guest(builder: Builder, main: impl Future<Output = Result<(), Error>> + 'static) -> Result<(), Error> {
    let (ask, asked) = mpsc::channel::<GuestTick>();
    let place = Rc::new(RefCell::new(None));
    let outcome = place.clone();
    let guest = builder.start_guest(
        main,
        // A host that is gone needs no ticks.
        move |tick| drop(ask.send(tick)),
        move |end| *place.borrow_mut() = Some(end),
    )?;
    while !guest.is_over() {
        asked.recv_timeout(PATIENCE).expect("a guest asks for its ticks").run();
    }
    outcome.take().expect("a guest that is over has told its outcome")
}
