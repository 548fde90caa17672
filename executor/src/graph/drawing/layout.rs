//! The layout of a graph: which node stands where.
//!
//! The graph is drawn in layers, and items flow from left to right. Each work and queue stands in the layer
//! behind the last node that feeds it. A line that crosses a layer gets a bend there, so it runs around boxes
//! and not through them. Within a layer, nodes and bends are ordered by the mean position of their neighbours.
//! This is Sugiyama's barycentre heuristic, with a few sweeps in each direction. It avoids most crossings.

use crate::graph::{Kind, QueueId, Topology};

/// The approximate width of a letter.
const CHAR: f64 = 7.2;
pub(super) const HEIGHT: f64 = 40.0;
const GAP: (f64, f64) = (48.0, 22.0);
const MARGIN: f64 = 16.0;
const SWEEPS: usize = 8;

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Queue,
    /// A queue that keeps results.
    Results,
    Work(Kind),
    /// A point where a line crosses a layer.
    Bend,
}

/// A work, a queue or a bend, and its place.
pub(super) struct LayoutNode {
    pub name: String,
    pub shape: Shape,
    layer: usize,
    /// The centre.
    pub x: f64,
    pub y: f64,
    pub width: f64,
}

/// A graph whose nodes have places.
pub(super) struct Layout {
    pub title: String,
    pub nodes: Vec<LayoutNode>,
    /// The nodes of each line: its start, its bends, its end.
    pub lines: Vec<Vec<usize>>,
    pub size: (f64, f64),
}

impl Layout {
    pub fn new(topology: &Topology) -> Layout {
        let queues = topology.queues.iter().map(|queue| {
            let shape = if queue.keeps_results() { Shape::Results } else { Shape::Queue };
            LayoutNode::new(queue.name(), shape)
        });
        let works = topology.works.iter().map(|work| LayoutNode::new(&work.name, Shape::Work(work.kind)));
        let nodes = queues.chain(works).collect();
        let mut lines = Vec::new();
        for (index, work) in topology.works.iter().enumerate() {
            let at = topology.queues.len() + index;
            let known = |queue: &&QueueId| topology.owns(**queue);
            lines.extend(work.inputs.iter().filter(known).map(|queue| vec![queue.index, at]));
            lines.extend(work.outputs.iter().filter(known).map(|queue| vec![at, queue.index]));
        }
        let mut layout = Layout { title: topology.name().to_owned(), nodes, lines, size: (0.0, 0.0) };
        layout.assign_layers();
        layout.bend_lines();
        let layers = layout.order_layers();
        layout.place(&layers);
        layout
    }

    fn assign_layers(&mut self) {
        // The longest path from a start. In a circle, which a checked graph does not have, the loop ends, too.
        for _ in 0..self.nodes.len() {
            for line in &self.lines {
                let behind = self.nodes[line[0]].layer + 1;
                let to = &mut self.nodes[line[1]];
                if to.layer < behind && behind < self.lines.len() + 1 {
                    to.layer = behind;
                }
            }
        }
    }

    fn bend_lines(&mut self) {
        for line in &mut self.lines {
            let (first, last) = (line[0], line[1]);
            let between = self.nodes[first].layer + 1..self.nodes[last].layer;
            let bends = self.nodes.len()..self.nodes.len() + between.len();
            self.nodes.extend(between.map(|layer| LayoutNode { layer, ..LayoutNode::new("", Shape::Bend) }));
            line.splice(1..1, bends);
        }
    }

    /// The nodes of each layer, from top to bottom.
    fn order_layers(&self) -> Vec<Vec<usize>> {
        let count = self.nodes.iter().map(|node| node.layer + 1).max().unwrap_or(0);
        let mut layers = vec![Vec::new(); count];
        for (index, node) in self.nodes.iter().enumerate() {
            layers[node.layer].push(index);
        }
        let mut place = vec![0.0; self.nodes.len()];
        for layer in &layers {
            set_places(layer, &mut place);
        }
        for sweep in 0..SWEEPS {
            let forward = sweep % 2 == 0;
            for step in 0..count {
                let layer = &mut layers[if forward { step } else { count - 1 - step }];
                let mean = |node: usize| {
                    let near: Vec<f64> = self.neighbours(node, forward).map(|other| place[other]).collect();
                    match near.len() {
                        0 => place[node],
                        many => near.iter().sum::<f64>() / many as f64,
                    }
                };
                let mut keyed: Vec<(f64, usize)> = layer.iter().map(|node| (mean(*node), *node)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                *layer = keyed.into_iter().map(|(_, node)| node).collect();
                set_places(layer, &mut place);
            }
        }
        layers
    }

    /// The nodes before a node on its lines, or those behind it.
    fn neighbours(&self, node: usize, before: bool) -> impl Iterator<Item = usize> {
        let pairs = self.lines.iter().flat_map(|line| line.windows(2));
        pairs.filter_map(move |pair| match before {
            true => (pair[1] == node).then_some(pair[0]),
            false => (pair[0] == node).then_some(pair[1]),
        })
    }

    fn place(&mut self, layers: &[Vec<usize>]) {
        let tallest = layers.iter().map(Vec::len).max().unwrap_or(0) as f64;
        let height = tallest * (HEIGHT + GAP.1) - GAP.1;
        let mut left = MARGIN;
        for layer in layers {
            let width = layer.iter().map(|node| self.nodes[*node].width).fold(0.0, f64::max);
            let own = layer.len() as f64 * (HEIGHT + GAP.1) - GAP.1;
            for (row, node) in layer.iter().enumerate() {
                let node = &mut self.nodes[*node];
                node.x = left + width / 2.0;
                node.y = MARGIN + (height - own) / 2.0 + row as f64 * (HEIGHT + GAP.1) + HEIGHT / 2.0;
                if node.shape == Shape::Bend {
                    // The line runs straight between the boxes above and below it.
                    node.width = width;
                }
            }
            left += width + GAP.0;
        }
        self.size = (left - GAP.0 + MARGIN, height + 2.0 * MARGIN);
    }
}

impl LayoutNode {
    fn new(name: &str, shape: Shape) -> LayoutNode {
        let width = match shape {
            Shape::Bend => 0.0,
            _ => CHAR * name.chars().count().max(6) as f64 + 20.0,
        };
        LayoutNode { name: name.to_owned(), shape, layer: 0, x: 0.0, y: 0.0, width }
    }

    pub fn left(&self) -> f64 {
        self.x - self.width / 2.0
    }

    pub fn right(&self) -> f64 {
        self.x + self.width / 2.0
    }
}

fn set_places(layer: &[usize], place: &mut [f64]) {
    let middle = (layer.len() as f64 - 1.0) / 2.0;
    for (row, node) in layer.iter().enumerate() {
        place[*node] = row as f64 - middle;
    }
}
