use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use terzetto::{Builder, Error, Task, checkpoint, lowlevel::Instrument, nursery};

/// Counts the steps of each task. A tool would write a trace, or measure the time of each step.
#[derive(Default)]
struct Steps(RefCell<BTreeMap<String, u32>>);

impl Instrument for Steps {
    fn before_task_step(&self, task: &Task) {
        *self.0.borrow_mut().entry(task.name().to_owned()).or_default() += 1;
    }
}

fn main() -> Result<(), Error> {
    let steps = Rc::new(Steps::default());
    Builder::new().instrument(steps.clone()).run(async {
        nursery(async |n| {
            for (name, times) in [("short", 1), ("long", 5)] {
                n.start_soon_named(name, async move {
                    for _ in 0..times {
                        checkpoint().await?;
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })?;
    for (task, steps) in steps.0.borrow().iter().filter(|(task, _)| *task != "main") {
        println!("{task}: {steps} steps");
    }
    Ok(())
}
