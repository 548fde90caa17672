//! One schedule of a program that is [explored](crate::testing::Explore): the choices of one run.
//!
//! A choice is a number below the number of options. A schedule by priorities makes the same kind of choices, so each
//! schedule can be repeated from its choices alone.

use crate::core::ids::NodeId;

/// The choices of one run.
#[derive(Default)]
pub(super) struct Schedule {
    /// What is chosen first. After that `further` decides.
    planned: Vec<usize>,
    further: Further,
    /// Each choice that was made, and how many options there were.
    made: Vec<(usize, usize)>,
}

/// How a schedule goes on where nothing is planned.
#[derive(Default)]
enum Further {
    #[default]
    First,
    Random(fastrand::Rng),
    Priorities(Priorities),
}

/// The priorities of the tasks; the highest runs first.
struct Priorities {
    random: fastrand::Rng,
    /// Those drawn at random are not negative. A task that was put last has a negative one.
    /// A task that takes over the number of one that has ended takes over its priority, too.
    known: Vec<(NodeId, i64)>,
    /// The choices at which the next task is put last.
    changes: Vec<usize>,
    lowest: i64,
}

impl Priorities {
    fn of(&mut self, node: NodeId) -> i64 {
        if let Some((_, priority)) = self.known.iter().find(|(known, _)| *known == node) {
            return *priority;
        }
        let priority = self.random.i64(0..i64::MAX);
        self.known.push((node, priority));
        priority
    }

    /// The place of the option with the highest priority; of equal ones the first.
    fn highest(&mut self, nodes: &[NodeId]) -> usize {
        let mut best = (i64::MIN, 0);
        for (place, node) in nodes.iter().enumerate() {
            let priority = self.of(*node);
            if priority > best.0 {
                best = (priority, place);
            }
        }
        best.1
    }

    fn choose(&mut self, number: usize, nodes: &[NodeId]) -> usize {
        let place = self.highest(nodes);
        if !self.changes.contains(&number) {
            return place;
        }
        self.lowest -= 1;
        let lowest = self.lowest;
        self.known.iter_mut().filter(|(known, _)| *known == nodes[place]).for_each(|(_, own)| *own = lowest);
        self.highest(nodes)
    }
}

impl Schedule {
    /// First what is planned, and then the first option.
    pub(super) fn systematic(planned: Vec<usize>) -> Schedule {
        Schedule { planned, ..Schedule::default() }
    }

    /// Each choice is drawn on its own.
    pub(super) fn at_random(random: fastrand::Rng) -> Schedule {
        Schedule { further: Further::Random(random), ..Schedule::default() }
    }

    /// By priorities that change at `depth - 1` of about `length` choices.
    pub(super) fn by_priorities(mut random: fastrand::Rng, depth: usize, length: usize) -> Schedule {
        let changes = (1..depth).map(|_| random.usize(0..length.max(1))).collect();
        let priorities = Priorities { random, known: Vec::new(), changes, lowest: 0 };
        Schedule { further: Further::Priorities(priorities), ..Schedule::default() }
    }

    /// Chooses between so many options. `node` says which node an option is, if it is one.
    pub(super) fn choose(&mut self, options: usize, node: impl Fn(usize) -> Option<NodeId>) -> usize {
        let number = self.made.len();
        let chosen = match (self.planned.get(number), &mut self.further) {
            (Some(planned), _) => (*planned).min(options - 1),
            (None, Further::First) => 0,
            (None, Further::Random(random)) => random.usize(0..options),
            (None, Further::Priorities(priorities)) => {
                match (0..options).map(node).collect::<Option<Vec<_>>>() {
                    Some(nodes) => priorities.choose(number, &nodes),
                    None => priorities.random.usize(0..options),
                }
            }
        };
        self.made.push((chosen, options));
        chosen
    }

    pub(super) fn choices(&self) -> Vec<usize> {
        self.made.iter().map(|(chosen, _)| *chosen).collect()
    }

    /// How many choices were made.
    pub(super) fn length(&self) -> usize {
        self.made.len()
    }

    /// What to choose in the schedule that follows this one, if there is one.
    pub(super) fn following(mut self) -> Option<Vec<usize>> {
        while let Some((chosen, options)) = self.made.pop() {
            if chosen + 1 < options {
                let mut choices = self.choices();
                choices.push(chosen + 1);
                return Some(choices);
            }
        }
        None
    }
}
