//! How a packet travels: it is stopped by a partition, gets lost, or arrives later.

use crate::testing::net::{ids::HostId, state::State};

impl State {
    /// Whether packets are stopped on this way now. If so, a fault has had an effect.
    pub(super) fn is_cut(&self, from: HostId, to: HostId) -> bool {
        let cuts = self.cuts.borrow();
        let mut stopped = false;
        for cut in cuts.iter().filter(|cut| cut.from.contains(&from) && cut.to.contains(&to)) {
            self.record.happened(cut.fault);
            stopped = true;
        }
        stopped
    }

    /// Sends a packet. Returns when it arrives. `None` if it gets lost.
    pub(super) fn travel(&self, from: HostId, to: HostId, bytes: usize) -> Option<f64> {
        if from == to {
            return Some(self.now());
        }
        if self.is_cut(from, to) {
            return None;
        }
        let mut links = self.links.borrow_mut();
        let (link, random) = (links.get(from, to), &mut *self.random.borrow_mut());
        if link.link.loss > 0.0 && random.f64() < link.link.loss {
            link.loss.inspect(|&fault| self.record.happened(fault));
            return None;
        }
        Some(link.arrival(self.now(), bytes, random))
    }

    /// Whether a packet that is at its goal now arrives there: no partition has begun meanwhile, and the host is up.
    pub(super) fn arrives(&self, from: HostId, to: HostId) -> bool {
        !self.is_cut(from, to) && self.host(to).is_up.get()
    }
}
