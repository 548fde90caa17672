//! A graph in the language of graphviz.

use std::fmt::Write;

use crate::graph::{Kind, Topology};

pub(in crate::graph) fn render(topology: &Topology) -> String {
    let mut dot = String::new();
    let mut line = |text: String| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(dot, "{text}");
    };
    line(format!("digraph {:?} {{", topology.name()));
    line("  rankdir=LR; node [fontname=\"sans-serif\"];".to_owned());
    for (index, queue) in topology.queues.iter().enumerate() {
        let style = if queue.keeps_results() { "bold" } else { "solid" };
        line(format!("  q{index} [label={:?} shape=ellipse style={style}];", queue.name()));
    }
    for (index, work) in topology.works.iter().enumerate() {
        let style = match work.kind {
            Kind::OneShot | Kind::Source | Kind::Join => "dashed",
            Kind::Global => "dotted",
            Kind::Io | Kind::Cpu | Kind::Task => "solid",
        };
        let label = format!("{}\n({})", work.name, work.kind);
        line(format!("  w{index} [label={label:?} shape=box style={style}];"));
        for queue in work.inputs.iter().filter(|queue| topology.owns(**queue)) {
            line(format!("  q{} -> w{index};", queue.index));
        }
        for queue in work.outputs.iter().filter(|queue| topology.owns(**queue)) {
            line(format!("  w{index} -> q{};", queue.index));
        }
    }
    line("}".to_owned());
    dot
}
