//! Pictures of a topology.

mod dot;
mod layout;
mod svg;

pub(super) use dot::draw as to_dot;

use super::Topology;

pub(super) fn to_svg(topology: &Topology) -> String {
    svg::render(&layout::Drawing::new(topology))
}
