//! Producers, system tasks, Ctrl-C and signals, processes.

use super::{
    interpret::{Taking, Task},
    objects::Objects,
    outside_words::{Making, OutsideAction},
    program::Block,
    run::{current, limited},
    trace::{UserError, shape},
};
use serde_json::{Value, json};
use signal_hook::{
    consts::{SIGINT, SIGUSR2},
    low_level::raise,
};
use std::{
    cell::RefCell,
    os::unix::process::ExitStatusExt,
    pin::Pin,
    process::ExitStatus,
    rc::Rc,
    sync::{Arc, Once, atomic::AtomicBool},
};
use terzetto::{
    Error, ReceiveError,
    lowlevel::spawn_system_task,
    nursery,
    process::{Command, Stdio, run_process, supervise},
    signal::{Signal, open_signal_receiver},
    sync::with_producer,
};

/// As Python writes it down: negative for a signal.
fn code(status: ExitStatus) -> Option<i32> {
    status.code().or_else(|| status.signal().map(|signal| -signal))
}

impl OutsideAction {
    /// What a receiver of signals has not taken is delivered again when it closes; that is not to end the process.
    pub(super) fn ignore_what_nobody_takes() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            signal_hook::flag::register(SIGUSR2, Arc::new(AtomicBool::new(false)))
                .expect("a handler of SIGUSR2 can be set");
        });
    }
}

/// What a producer does, but for yielding.
async fn make<'i: 's, 's>(me: &Task<'i, 's>, block: &'i Block) -> Result<(), Error> {
    let done = me.block(block).await;
    if let Err(error) = &done
        && error.group().is_none()
        && error.downcast_ref::<UserError>().is_some()
    {
        me.note("end", shape(error));
    }
    done
}

/// What yields a producer's values, whatever type the runtime has for it.
struct Receiving<F>(F);

impl<F: AsyncFn() -> Result<i64, ReceiveError>> Taking for Receiving<F> {
    fn take<'a>(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<i64, ReceiveError>> + 'a>>
    where
        Self: 'a,
    {
        Box::pin(async move { (self.0)().await })
    }
}

/// What a system task does.
async fn system(objects: Rc<Objects>, name: String, block: Arc<Block>) -> Result<(), Error> {
    limited(&objects, &name, &block).await
}

impl<'i: 's, 's> Task<'i, 's> {
    pub(super) async fn outside_action(&self, action: &'i OutsideAction) -> Result<Value, Error> {
        let objects = self.objects;
        match action {
            OutsideAction::Producer { name, makes, takes } => {
                with_producer(
                    async |sender| {
                        let me = Task::new(objects, name);
                        me.note("begin", json!("ok"));
                        for making in makes {
                            match making {
                                Making::Yield(value) => {
                                    sender.send(*value).await?;
                                    me.note("yield", json!("ok"));
                                }
                                Making::Do(block) => make(&me, block).await?,
                            }
                        }
                        me.note("end", json!("ok"));
                        Ok(())
                    },
                    async |receiver| {
                        let mut taker = self.clone();
                        taker.taken = Some(Rc::new(Receiving(async || receiver.receive().await)));
                        taker.block(takes).await
                    },
                )
                .await?;
            }
            OutsideAction::Take => {
                let taken = self.taken.clone().expect("only a consumer takes");
                match taken.take().await {
                    Ok(value) => return Ok(json!(["value", value])),
                    Err(ReceiveError::EndOfChannel) => return Ok(json!("end")),
                    Err(error) => return Err(error.into()),
                }
            }
            OutsideAction::System(name, block) => {
                // Refused once the run is ending.
                let _refused =
                    spawn_system_task(name.clone(), system(current(), name.clone(), block.clone()));
            }
            OutsideAction::Interrupt => raise(SIGINT)?,
            OutsideAction::Signals(block) => {
                let receiver = open_signal_receiver(&[Signal::USR2])?;
                objects.signals.replace(Some(Rc::new(receiver)));
                let outcome = self.block(block).await;
                objects.signals.take();
                outcome?;
            }
            OutsideAction::RaiseSignal if objects.signals.borrow().is_none() => return Ok(json!("nobody")),
            OutsideAction::RaiseSignal => raise(SIGUSR2)?,
            OutsideAction::NextSignal => {
                let receiver = objects.signals.borrow().clone();
                let Some(receiver) = receiver else { return Ok(json!("nobody")) };
                receiver.receive().await?;
            }
            OutsideAction::Process { code: wanted, check } => {
                let held = objects.hold.held();
                let command = Command::new("sh").arg("-c").arg(format!("exit {wanted}")).check(*check);
                let done = run_process(command).await;
                drop(held);
                return Ok(json!(["value", code(done?.status)]));
            }
            OutsideAction::ProcessForever(block) => return self.process_forever(block).await,
            OutsideAction::Thread { name, abandon, block } => {
                return self.thread(name, *abandon, block).await;
            }
            OutsideAction::OpenGate(number) => objects.hold.open(*number),
        }
        Ok(json!("ok"))
    }

    /// A process that ends only when it is told to, and a block beside it.
    async fn process_forever(&self, block: &'i Block) -> Result<Value, Error> {
        let hold = &self.objects.hold;
        let ending = Rc::new(RefCell::new(None));
        let ends = ending.clone();
        let command =
            Command::new("sleep").arg("1000").stdin(Stdio::Null).deliver_cancel(async move |process| {
                ends.replace(Some(hold.held()));
                Ok(process.kill()?)
            });
        let process = RefCell::new(None);
        let outcome = nursery(async |n| {
            let held = hold.held();
            let supervised = async |status| {
                let outcome = supervise(command, status).await;
                ending.take();
                outcome
            };
            let started = n.start(supervised).await;
            drop(held);
            process.replace(Some(started?));
            self.note("process", json!("started"));
            let outcome = self.block(block).await;
            n.cancel_scope().cancel();
            outcome
        })
        .await;
        outcome?;
        let process = process.into_inner().expect("it has been started");
        Ok(json!(["value", process.poll()?.and_then(code)]))
    }
}
