//! Pictures of a graph: in graphviz's language (`dot`), and laid out (`layout`) as SVG (`svg`).

mod dot;
mod layout;
mod svg;

pub(super) use dot::render as to_dot;

use super::Topology;

/// The graph as an SVG picture.
pub(super) fn to_svg(topology: &Topology) -> String {
    svg::render(&layout::Layout::new(topology))
}
