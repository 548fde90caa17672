//! A laid out graph as SVG.

use std::fmt::Write;

use super::layout::{HEIGHT, Layout, LayoutNode, Shape};
use crate::graph::Kind;

// Writing to a `String` cannot fail, so the results of `write!` are ignored in this file.

pub(super) fn render(layout: &Layout) -> String {
    let mut svg = String::new();
    let (width, height) = layout.size;
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"13\" \
         text-anchor=\"middle\">\n<title>{}</title>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"#555\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
        escaped(&layout.title)
    );
    for line in &layout.lines {
        let _ = writeln!(
            svg,
            "<path d=\"{}\" fill=\"none\" stroke=\"#555\" marker-end=\"url(#tip)\"/>",
            curve(layout, line)
        );
    }
    for node in layout.nodes.iter().filter(|node| node.shape != Shape::Bend) {
        draw_node(&mut svg, node);
    }
    svg.push_str("</svg>\n");
    svg
}

/// A line from node to node. It is horizontal where it touches one.
fn curve(layout: &Layout, line: &[usize]) -> String {
    let mut path = String::new();
    for pair in line.windows(2) {
        let (from, to) = (&layout.nodes[pair[0]], &layout.nodes[pair[1]]);
        let (x0, y0, x1, y1) = (from.right(), from.y, to.left(), to.y);
        let middle = (x0 + x1) / 2.0;
        let start = if path.is_empty() { "M" } else { " L" };
        let _ =
            write!(path, "{start}{x0:.1} {y0:.1} C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {x1:.1} {y1:.1}");
    }
    path
}

fn draw_node(svg: &mut String, node: &LayoutNode) {
    let (fill, radius) = match node.shape {
        Shape::Queue | Shape::Bend => ("#f3f3f3", HEIGHT / 2.0),
        Shape::Results => ("#d9ead3", HEIGHT / 2.0),
        Shape::Work(Kind::OneShot | Kind::Source) => ("#fff2cc", 3.0),
        Shape::Work(Kind::Io) => ("#cfe2f3", 3.0),
        Shape::Work(Kind::Cpu) => ("#f4cccc", 3.0),
        Shape::Work(Kind::Task) => ("#d9ead3", 3.0),
        Shape::Work(Kind::Global | Kind::Join) => ("#ead1dc", 3.0),
    };
    let _ = writeln!(
        svg,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{HEIGHT}\" rx=\"{radius}\" fill=\"{fill}\" \
         stroke=\"#555\"/>",
        node.left(),
        node.y - HEIGHT / 2.0,
        node.width
    );
    let name = escaped(&node.name);
    let (x, y) = (node.x, node.y);
    let _ = match node.shape {
        Shape::Work(kind) => writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\">{name}</text>\n\
             <text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"10\" fill=\"#555\">{kind}</text>",
            y - 1.0,
            y + 13.0
        ),
        _ => writeln!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\">{name}</text>", y + 4.5),
    };
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
