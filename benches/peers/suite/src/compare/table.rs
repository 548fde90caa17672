//! The results as text: a table for people, and CSV.

use crate::results::{OURS, Results, Row};
use std::fmt::Write;

/// Above this our median is dearer than the cheapest peer's, whatever the noise.
const LOST: f64 = 1.05;

/// A row for each figure: medians, spreads and ratios.
pub fn markdown(results: &Results) -> String {
    let peers = results.peers();
    let mut text = String::from("| workload | unit |");
    for peer in &peers {
        let _fits = write!(text, " {peer} |");
    }
    text.push_str(" beside the best |\n|---|---|");
    text.push_str(&"---:|".repeat(peers.len() + 1));
    text.push('\n');
    for row in results.rows.iter().filter(|row| row.shown) {
        let _fits = write!(text, "| {} | {} |", row.workload, row.metric.name());
        for peer in &peers {
            let _fits = write!(text, " {} |", cell(row, peer));
        }
        let lost = match row.cost_of_ours() {
            None => "–".to_owned(),
            Some(cost) if cost > LOST => format!("**{cost:.2}**"),
            Some(cost) => format!("{cost:.2}"),
        };
        let _fits = writeln!(text, " {lost} |");
    }
    text
}

fn cell(row: &Row, peer: &str) -> String {
    let Some(quartiles) = row.quartiles(peer) else { return "–".to_owned() };
    let value = format!("{} ±{:.0} %", rounded(quartiles.median), quartiles.spread() * 100.0);
    match row.cost(peer) {
        Some(cost) if peer != OURS => format!("{value} ({cost:.2})"),
        _ => value,
    }
}

/// Three digits, or all before the point.
fn rounded(value: f64) -> String {
    match value.abs() {
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A line for each figure of each peer.
pub fn csv(results: &Results) -> String {
    let mut text = String::from("workload,size,metric,peer,rounds,lower,median,upper,cost\n");
    for row in &results.rows {
        for (peer, values) in &row.peers {
            let Some(quartiles) = row.quartiles(peer) else { continue };
            let cost = row.cost(peer).map_or(String::new(), |cost| format!("{cost:.4}"));
            let _fits = writeln!(
                text,
                "{},{},{},{peer},{},{:.3},{:.3},{:.3},{cost}",
                row.workload,
                row.size,
                row.metric.name(),
                values.len(),
                quartiles.lower,
                quartiles.median,
                quartiles.upper,
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{csv, markdown};
    use crate::{plan::Planned, results::Results};
    use terzetto_peers::measure::Metric;

    fn results(metric: Metric, ours: f64, theirs: f64) -> Results {
        let (name, size) = ("work".to_owned(), "7".to_owned());
        let planned = Planned { name, size, shown: vec![metric], jobs: Vec::new() };
        let mut results = Results::default();
        results.add(&planned, "terzetto", metric, ours);
        results.add(&planned, "tokio", metric, theirs);
        results
    }

    #[test]
    fn a_lost_row_is_marked() {
        let table = markdown(&results(Metric::Wall, 30.0, 10.0));
        assert!(table.contains("| work | ns | 30.0 ±0 % | 10.0 ±0 % (0.33) | **3.00** |"), "{table}");
    }

    #[test]
    fn more_requests_cost_less() {
        let table = markdown(&results(Metric::Rate, 300.0, 100.0));
        assert!(table.contains("| 100 ±0 % (3.00) | 0.33 |"), "{table}");
    }

    #[test]
    fn csv_has_all() {
        let text = csv(&results(Metric::Cpu, 20.0, 10.0));
        assert!(text.contains("work,7,cpu-ns,tokio,1,10.000,10.000,10.000,0.5000\n"), "{text}");
    }
}
