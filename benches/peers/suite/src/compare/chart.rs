//! The results as a picture: for each figure the peers' costs beside ours, on a logarithmic axis.

use crate::results::{OURS, Results, Row};
use std::fmt::Write;
use terzetto_peers::peers::PEERS;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 70.0;
const LINE: f64 = 18.0;

/// One for each peer after ours; told apart by people who see few colours, and in print.
const COLOURS: [&str; 8] =
    ["#0072b2", "#f0e442", "#d55e00", "#009e73", "#56b4e9", "#cc79a7", "#e69f00", "#555555"];

// Trio comes to the peers, and terzetto is not among the dots.
const _: () = assert!(COLOURS.len() >= PEERS.len(), "a colour for each peer");

/// A dot for each peer in each row: to the right of the line at 1 it costs more than terzetto.
pub fn svg(results: &Results) -> String {
    let rows: Vec<&Row> =
        results.rows.iter().filter(|row| row.shown && row.quartiles(OURS).is_some()).collect();
    let peers: Vec<&str> = results.peers().into_iter().filter(|peer| *peer != OURS).collect();
    let axis = Axis::over(rows.iter().flat_map(|row| peers.iter().filter_map(|peer| row.cost(peer))));
    let bottom = TOP + LINE * rows.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"13\">Cost beside terzetto's (right of 1: terzetto \
         is cheaper)</text>\n",
        bottom + 30.0
    );
    for (i, peer) in peers.iter().enumerate() {
        let x = RIGHT + (WIDTH - 2.0 * RIGHT) * i as f64 / peers.len() as f64;
        let _fits = writeln!(svg, "{}<text x=\"{:.1}\" y=\"42\">{peer}</text>", dot(x, 38.0, i), x + 8.0);
    }
    for power in axis.powers() {
        let cost = 10_f64.powi(power);
        let (x, colour) = (axis.place(cost), if power == 0 { "#000" } else { "#ccc" });
        let _fits = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\" stroke=\"{colour}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{cost}</text>",
            TOP - 14.0,
            bottom + 16.0
        );
    }
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + LINE * i as f64;
        let (name, unit) = (&row.workload, row.metric.name());
        let _fits = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#777\">{unit}</text>\
             <line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#eee\"/>",
            LEFT - 78.0,
            y + 4.0,
            LEFT - 8.0,
            y + 4.0,
            WIDTH - RIGHT
        );
        for (which, peer) in peers.iter().enumerate() {
            if let Some(cost) = row.cost(peer).filter(|cost| cost.is_finite() && *cost > 0.0) {
                let _fits = writeln!(svg, "{}", dot(axis.place(cost), y, which));
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn dot(x: f64, y: f64, which: usize) -> String {
    let colour = COLOURS[which % COLOURS.len()];
    format!(
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\" fill-opacity=\"0.85\" \
         stroke=\"#333\" stroke-width=\"0.5\"/>"
    )
}

/// From a power of ten to another, with 1 between.
struct Axis {
    lowest: i32,
    highest: i32,
}

impl Axis {
    fn over(costs: impl Iterator<Item = f64>) -> Axis {
        let mut axis = Axis { lowest: -1, highest: 1 };
        for power in costs.filter(|cost| cost.is_finite() && *cost > 0.0).map(f64::log10) {
            axis.lowest = axis.lowest.min(power.floor() as i32);
            axis.highest = axis.highest.max(power.ceil() as i32);
        }
        axis
    }

    fn powers(&self) -> std::ops::RangeInclusive<i32> {
        self.lowest..=self.highest
    }

    fn place(&self, cost: f64) -> f64 {
        let part = (cost.log10() - f64::from(self.lowest)) / f64::from(self.highest - self.lowest);
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }
}
