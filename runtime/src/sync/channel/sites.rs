//! Where the open ends of a channel were made, so that a report can say why a channel does not end.
//!
//! A receive waits as long as there is a sender. A sender that was forgotten somewhere is a usual cause of a program
//! that hangs. The runtime cannot know who holds an end, since an end is an ordinary value. But it knows the call that
//! has made it. Most channels have one or two such places, so they are counted, place by place.

use std::{
    cell::{Cell, RefCell},
    fmt::Write,
    panic::Location,
};

/// A place in the source that makes ends of channels.
pub(in crate::sync) type Site = &'static Location<'static>;

/// Which end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum End {
    Sending = 0,
    Receiving = 1,
}

/// How many ends of each kind were made in one place and are open.
type Counts = [u32; 2];

/// The open ends of a channel, by the place where they were made.
pub(in crate::sync) struct Sites {
    /// The place where the channel was made, which has made one end of each kind.
    first: Site,
    of_first: Cell<Counts>,
    /// The places where ends were cloned.
    others: RefCell<Vec<(Site, Counts)>>,
}

impl Sites {
    pub(in crate::sync) fn new(first: Site) -> Sites {
        Sites { first, of_first: Cell::new([0, 0]), others: RefCell::default() }
    }

    /// Notes that an end was made.
    pub(in crate::sync) fn made(&self, end: End, at: Site) {
        self.change(end, at, |count| *count += 1);
    }

    /// Notes that an end that was made there was closed.
    pub(in crate::sync) fn closed(&self, end: End, at: Site) {
        self.change(end, at, |count| *count -= 1);
    }

    fn change(&self, end: End, at: Site, change: impl FnOnce(&mut u32)) {
        if std::ptr::eq(at, self.first) {
            let mut counts = self.of_first.get();
            change(&mut counts[end as usize]);
            return self.of_first.set(counts);
        }
        let mut others = self.others.borrow_mut();
        let place = others.iter().position(|(site, _)| *site == at).unwrap_or_else(|| {
            others.push((at, [0, 0]));
            others.len() - 1
        });
        change(&mut others[place].1[end as usize]);
    }

    /// Says how many ends of a kind are open, and where they were made.
    pub(in crate::sync) fn describe(&self, end: End) -> String {
        let others = self.others.borrow();
        let all = || std::iter::once((self.first, self.of_first.get())).chain(others.iter().copied());
        let open: u32 = all().map(|(_, counts)| counts[end as usize]).sum();
        let kind = match end {
            End::Sending => "sender",
            End::Receiving => "receiver",
        };
        let mut text = match open {
            1 => format!("1 {kind} is open"),
            _ => format!("{open} {kind}s are open"),
        };
        let mut before = ": ";
        for (site, counts) in all().filter(|(_, counts)| counts[end as usize] > 0) {
            let how = if std::ptr::eq(site, self.first) { "made with the channel" } else { "cloned" };
            // Writing into a string cannot fail.
            let _ = write!(text, "{before}{} {how} at {}:{}", counts[end as usize], site.file(), site.line());
            before = ", ";
        }
        text
    }
}
