//! Whether what clients have seen is linearizable: as if each command had taken effect at one moment between its begin
//! and its end.
//!
//! This is the search of Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), done while the history
//! grows, as in Lowe, "Testing for linearizability" (2017). It keeps every state in which a key may be: its value, and
//! which of the commands that are under way have taken effect, with the answers that they must get. Keys are
//! independent, so each is checked by itself.

use crate::protocol::{Action, Command};
use std::collections::{BTreeMap, BTreeSet};
use terzetto::Error;

/// A client, and the number of its command.
type Id = (u64, u64);

/// A state in which a key may be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Possible {
    value: u64,
    /// The commands under way that have taken effect, and their answers.
    done: BTreeMap<Id, u64>,
}

struct KeyHistory {
    under_way: BTreeMap<Id, Action>,
    possible: BTreeSet<Possible>,
}

#[derive(Default)]
pub struct History {
    keys: BTreeMap<u64, KeyHistory>,
}

impl History {
    /// A client begins to ask.
    pub fn begins(&mut self, command: Command) {
        let key = self.keys.entry(command.key).or_insert_with(|| KeyHistory {
            under_way: BTreeMap::new(),
            possible: BTreeSet::from([Possible::default()]),
        });
        key.under_way.insert((command.client, command.number), command.action);
    }

    /// A client has an answer. Fails if there is no order of the commands in which it gets this one.
    pub fn ends(&mut self, command: Command, answer: u64) -> Result<(), Error> {
        let id = (command.client, command.number);
        let Some(key) = self.keys.get_mut(&command.key) else {
            return Err(Error::msg("a command has ended that has not begun"));
        };
        let mut after = BTreeSet::new();
        let mut seen = key.possible.clone();
        let mut rest: Vec<Possible> = seen.iter().cloned().collect();
        while let Some(mut possible) = rest.pop() {
            if let Some(done) = possible.done.get(&id) {
                if *done == answer {
                    possible.done.remove(&id);
                    after.insert(possible);
                }
                continue;
            }
            for (&other, action) in
                key.under_way.iter().filter(|(other, _)| !possible.done.contains_key(other))
            {
                let mut next = possible.clone();
                next.value = action.apply(next.value);
                next.done.insert(other, next.value);
                if seen.insert(next.clone()) {
                    rest.push(next);
                }
            }
        }
        if after.is_empty() {
            let values: BTreeSet<u64> = key.possible.iter().map(|possible| possible.value).collect();
            return Err(Error::msg(format!(
                "not linearizable: the command \"{command}\" got the answer {answer}, and the value before was one of \
                 {values:?}"
            )));
        }
        key.under_way.remove(&id);
        key.possible = after;
        Ok(())
    }
}
