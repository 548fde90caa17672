//! One core operation, so many times: for counting instructions with `benches/instructions`.
//!
//! `yield+recorded` is the operation `yield` with a tool of `terzetto::observe` switched on.

use std::{cell::Cell, rc::Rc};
use terzetto::{
    Builder, CancelScope, Error, channel, checkpoint,
    lowlevel::Instrument,
    move_on_after, nursery,
    observe::Recorder,
    sleep_forever,
    sync::{Event, Lock},
};

/// An instrument with no hooks of its own.
struct Silent;
impl Instrument for Silent {}

/// An instrument that counts steps.
#[derive(Default)]
struct Steps(Cell<u64>);
impl Instrument for Steps {
    fn before_task_step(&self, _task: &terzetto::Task) {
        self.0.set(self.0.get() + 1);
    }
}

async fn yields(n: usize) -> Result<(), Error> {
    for _ in 0..n {
        checkpoint().await?;
    }
    Ok(())
}

async fn operation(name: &str, n: usize) -> Result<(), Error> {
    match name {
        "yield" | "yield-silent" | "yield-steps" => yields(n).await,
        "yield-of-1000" => {
            nursery(async |nursery| {
                for _ in 0..1000 {
                    nursery.start_soon(yields(n / 1000));
                }
                Ok(())
            })
            .await
        }
        "spawn-and-join" => {
            nursery(async |nursery| {
                for _ in 0..n {
                    nursery.start_soon(async { Ok(()) });
                }
                Ok(())
            })
            .await
        }
        "nursery" => {
            for _ in 0..n {
                nursery(async |_| Ok(())).await?;
            }
            Ok(())
        }
        "scope" => {
            for _ in 0..n {
                CancelScope::new().run(async { Ok(()) }).await?;
            }
            Ok(())
        }
        "timeout-around-yield" => {
            for _ in 0..n {
                move_on_after(60.0, async { Ok(checkpoint().await?) }).await?;
            }
            Ok(())
        }
        "channel-round-trip" => {
            let (ask, asked) = channel::<usize>(1);
            let (answer, answered) = channel::<usize>(1);
            nursery(async |nursery| {
                nursery.start_soon(async move {
                    while let Some(value) = asked.next().await? {
                        answer.send(value).await?;
                    }
                    Ok(())
                });
                for i in 0..n {
                    ask.send(i).await?;
                    answered.receive().await?;
                }
                ask.close();
                Ok(())
            })
            .await
        }
        "message" | "message-quick" => {
            let (sender, receiver) = channel::<usize>(100);
            nursery(async |nursery| {
                nursery.start_soon(async move {
                    while receiver.next().await?.is_some() {}
                    Ok(())
                });
                for i in 0..n {
                    sender.send(i).await?;
                }
                sender.close();
                Ok(())
            })
            .await
        }
        "lock" => {
            let lock = Lock::new();
            for _ in 0..n {
                drop(lock.acquire().await?);
            }
            Ok(())
        }
        "event-wait" => {
            let events: Vec<Event> = (0..n).map(|_| Event::new()).collect();
            nursery(async |nursery| {
                nursery.start_soon(async {
                    for event in &events {
                        event.wait().await?;
                    }
                    Ok(())
                });
                for event in &events {
                    checkpoint().await?;
                    event.set();
                }
                Ok(())
            })
            .await
        }
        "cancel-blocked" => {
            nursery(async |nursery| {
                for _ in 0..n {
                    nursery.start_soon(async { Ok(sleep_forever().await?) });
                }
                checkpoint().await?;
                checkpoint().await?;
                nursery.cancel_scope().cancel();
                Ok(())
            })
            .await
        }
        other => Err(Error::msg(format!("no operation is called {other}"))),
    }
}

/// Switches on what shows a run.
fn with_tool(builder: Builder, tool: &str) -> Result<Builder, Error> {
    let socket = || std::env::temp_dir().join(format!("terzetto-instructions-{}", std::process::id()));
    Ok(match tool {
        "socket" => builder.task_socket(socket())?,
        "dumps" => builder.dump_into(std::env::temp_dir())?,
        "measured" => builder.measure_tasks(true),
        "recorded" => builder.record(Recorder::last(1_000)),
        // The watchdog's thread looks every quarter of this.
        "watchdog" => builder.watchdog(10.0),
        "stacks" => builder.watchdog(10.0).watchdog_stacks(true),
        other => return Err(Error::msg(format!("no tool is called {other}"))),
    })
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or_else(|| Error::msg("an operation's name"))?;
    let n = arguments.next().ok_or_else(|| Error::msg("how many times"))?.parse()?;
    let mut builder = Builder::new();
    let (name, tool) = name.split_once('+').map_or((name.as_str(), None), |(name, tool)| (name, Some(tool)));
    match name {
        "yield-silent" => builder = builder.instrument(Rc::new(Silent)),
        "yield-steps" => builder = builder.instrument(Rc::new(Steps::default())),
        "message-quick" => builder = builder.quick_checkpoints(64),
        _ => {}
    }
    if let Some(tool) = tool {
        builder = with_tool(builder, tool)?;
    }
    builder.run(operation(name, n))
}
