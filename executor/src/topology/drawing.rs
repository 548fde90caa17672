//! A picture of a topology, in layers: what flows goes from left to right.
//!
//! Each work and queue stands in the layer behind the last thing that feeds it. Within a layer, nodes
//! are ordered by the mean place of their neighbours (Sugiyama's barycentre heuristic, a few sweeps
//! each way), which keeps most arrows from crossing.

use std::fmt::Write;

use super::{Kind, Topology};

const CHAR: f64 = 7.2;
const HEIGHT: f64 = 40.0;
const GAP: (f64, f64) = (48.0, 22.0);
const MARGIN: f64 = 16.0;
const SWEEPS: usize = 8;

struct Node {
    name: String,
    /// The kind of a work; `None` for a queue.
    kind: Option<Kind>,
    keeps_results: bool,
    layer: usize,
    /// Centre.
    x: f64,
    y: f64,
    width: f64,
}

/// A topology laid out.
pub(super) struct Drawing {
    title: String,
    nodes: Vec<Node>,
    edges: Vec<(usize, usize)>,
    size: (f64, f64),
}

impl Drawing {
    pub fn new(topology: &Topology) -> Drawing {
        let mut nodes: Vec<Node> = Vec::new();
        let mut edges = Vec::new();
        let mut node = |name: &str, kind, keeps_results| {
            let width = CHAR * name.chars().count().max(6) as f64 + 20.0;
            nodes.push(Node { name: name.to_owned(), kind, keeps_results, layer: 0, x: 0.0, y: 0.0, width });
        };
        for queue in &topology.queues {
            node(queue.name(), None, queue.keeps_results());
        }
        for work in &topology.works {
            node(&work.name, Some(work.kind), false);
        }
        for (index, work) in topology.works.iter().enumerate() {
            let at = topology.queues.len() + index;
            let known = |queue: &&super::QueueId| topology.owns(**queue);
            edges.extend(work.inputs.iter().filter(known).map(|queue| (queue.index, at)));
            edges.extend(work.outputs.iter().filter(known).map(|queue| (at, queue.index)));
        }
        let mut drawing = Drawing { title: topology.name().to_owned(), nodes, edges, size: (0.0, 0.0) };
        drawing.assign_layers();
        let layers = drawing.order_layers();
        drawing.place(&layers);
        drawing
    }

    fn assign_layers(&mut self) {
        // Longest way from a start; a circle, which a checked topology has not, stops by itself.
        for _ in 0..self.nodes.len() {
            for &(from, to) in &self.edges {
                let behind = self.nodes[from].layer + 1;
                if self.nodes[to].layer < behind && behind < self.nodes.len() {
                    self.nodes[to].layer = behind;
                }
            }
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

    /// What feeds a node, or what it feeds.
    fn neighbours(&self, node: usize, before: bool) -> impl Iterator<Item = usize> {
        self.edges.iter().filter_map(move |&(from, to)| match before {
            true => (to == node).then_some(from),
            false => (from == node).then_some(to),
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
            }
            left += width + GAP.0;
        }
        self.size = (left - GAP.0 + MARGIN, height + 2.0 * MARGIN);
    }

    pub fn to_svg(&self) -> String {
        let mut svg = String::new();
        let mut line = |text: String| {
            // Writing to a `String` cannot fail.
            let _ = writeln!(svg, "{text}");
        };
        let (width, height) = self.size;
        line(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"13\" \
             text-anchor=\"middle\">"
        ));
        line(format!("<title>{}</title>", escaped(&self.title)));
        line(
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"#555\"/></marker></defs>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
                .to_owned(),
        );
        for &(from, to) in &self.edges {
            let (from, to) = (&self.nodes[from], &self.nodes[to]);
            let (x0, x1) = (from.x + from.width / 2.0, to.x - to.width / 2.0);
            let middle = (x0 + x1) / 2.0;
            line(format!(
                "<path d=\"M{x0:.1} {:.1} C{middle:.1} {:.1} {middle:.1} {:.1} {x1:.1} {:.1}\" fill=\"none\" \
                 stroke=\"#555\" marker-end=\"url(#tip)\"/>",
                from.y, from.y, to.y, to.y
            ));
        }
        for node in &self.nodes {
            self.node_to_svg(node, &mut line);
        }
        line("</svg>".to_owned());
        svg
    }

    fn node_to_svg(&self, node: &Node, line: &mut impl FnMut(String)) {
        let fill = match node.kind {
            None if node.keeps_results => "#d9ead3",
            None => "#f3f3f3",
            Some(Kind::OneShot | Kind::Source) => "#fff2cc",
            Some(Kind::Io) => "#cfe2f3",
            Some(Kind::Cpu) => "#f4cccc",
            Some(Kind::Global | Kind::Join) => "#ead1dc",
        };
        let radius = if node.kind.is_some() { 3.0 } else { HEIGHT / 2.0 };
        line(format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{HEIGHT}\" rx=\"{radius}\" \
             fill=\"{fill}\" stroke=\"#555\"/>",
            node.x - node.width / 2.0,
            node.y - HEIGHT / 2.0,
            node.width
        ));
        let name = escaped(&node.name);
        match node.kind {
            None => line(format!("<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>", node.x, node.y + 4.5)),
            Some(kind) => {
                line(format!("<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>", node.x, node.y - 1.0));
                line(format!(
                    "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\" fill=\"#555\">{kind}</text>",
                    node.x,
                    node.y + 13.0
                ));
            }
        }
    }
}

fn set_places(layer: &[usize], place: &mut [f64]) {
    let middle = (layer.len() as f64 - 1.0) / 2.0;
    for (row, node) in layer.iter().enumerate() {
        place[*node] = row as f64 - middle;
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
