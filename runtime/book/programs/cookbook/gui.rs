use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::mpsc,
};
use terzetto::{Builder, Error, lowlevel::GuestTick, sleep};

/// What the loop of a GUI gets: its own events, and ticks of the guest.
enum Event {
    Click,
    Tick(GuestTick),
}

fn main() -> Result<(), Error> {
    let (post, events) = mpsc::channel();
    let progress = Rc::new(Cell::new(0));
    let shown = progress.clone();
    let outcome = Rc::new(RefCell::new(None));
    let ended = outcome.clone();
    let to_loop = post.clone();
    let guest = Builder::new().start_guest(
        async move {
            for step in 1..=3 {
                sleep(0.01).await?; // a download
                progress.set(step);
            }
            Ok("the download is complete")
        },
        move |tick| drop(to_loop.send(Event::Tick(tick))),
        move |end| *ended.borrow_mut() = Some(end),
    )?;
    post.send(Event::Click)?;
    // The loop of the GUI.
    let mut last = 0;
    while !guest.is_over() {
        match events.recv()? {
            Event::Click => println!("a click is handled"),
            Event::Tick(tick) => tick.run(),
        }
        if shown.get() != last {
            last = shown.get();
            println!("progress bar: {last} of 3");
        }
    }
    let outcome = outcome.take().expect("it is over");
    println!("{}", outcome?);
    Ok(())
}
