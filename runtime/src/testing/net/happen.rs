//! Making events happen.

use crate::testing::net::{events::Event, state::State};
use std::rc::Rc;

impl State {
    /// Makes an event happen.
    pub(super) fn happen(self: &Rc<Self>, event: Event) {
        match event {
            Event::Request(connection) => self.request_arrives(&connection),
            Event::Acceptance(connection) => self.acceptance_arrives(&connection),
            Event::Refusal(connection) => self.refusal_arrives(&connection),
            Event::RequestAgain(connection) => self.send_request(&connection),
            Event::Segment(connection, end, number) => self.segment_arrives(&connection, end, number),
            Event::SegmentAgain(connection, end, number) => self.send_segment(&connection, end, number),
            Event::Reset(connection, end) => self.reset_arrives(&connection, end),
            Event::Datagram(datagram) => self.datagram_arrives(*datagram),
            Event::Fault(index) => {
                let due = self.script.borrow().get(index).cloned();
                due.inspect(|(fault, place)| self.inject(fault, *place));
            }
            Event::RandomFault(kind) => self.random_fault(kind),
            Event::CutEnds(number) => self.cuts.borrow_mut().retain(|cut| cut.number != number),
            Event::Restart(host, life) => {
                let host = self.host(host);
                if host.life.get() == life {
                    self.restart(&host);
                }
            }
        }
    }
}
