//! The results as text: a table for people, and CSV.

use crate::results::{Measured, OURS, Results, Row};
use std::fmt::Write;

/// How much dearer than the cheapest peer's our median is in a row that is marked.
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
        for Measured { peer, size, values } in &row.peers {
            let Some(quartiles) = row.quartiles(peer) else { continue };
            let cost = row.cost(peer).map_or(String::new(), |cost| format!("{cost:.4}"));
            let _fits = writeln!(
                text,
                "{},{size},{},{peer},{},{:.3},{:.3},{:.3},{cost}",
                row.workload,
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
    use crate::{
        plan::Planned,
        results::{Results, Sample},
    };
    use terzetto_peers::measure::Metric;

    fn results(metric: Metric, ours: f64, theirs: f64) -> Results {
        let planned = Planned { name: "work".to_owned(), shown: vec![metric], jobs: Vec::new() };
        let mut results = Results::default();
        // Of the last peer first: what comes in first has no say in the order of columns.
        for (peer, size, value) in
            [("tokio-send", "5", theirs), ("tokio", "6", 2.0 * theirs), ("terzetto", "7", ours)]
        {
            results.add(&planned, &Sample { peer, size, metric, value });
        }
        results
    }

    #[test]
    fn columns_are_in_the_order_of_the_peers() {
        let table = markdown(&results(Metric::Wall, 30.0, 10.0));
        assert!(
            table.starts_with("| workload | unit | terzetto | tokio | tokio-send | beside the best |\n"),
            "{table}"
        );
    }

    #[test]
    fn a_lost_row_is_marked() {
        let table = markdown(&results(Metric::Wall, 30.0, 10.0));
        assert!(table.contains("| 30.0 ±0 % | 20.0 ±0 % (0.67) | 10.0 ±0 % (0.33) | **3.00** |"), "{table}");
    }

    #[test]
    fn more_requests_cost_less() {
        let table = markdown(&results(Metric::Rate, 300.0, 100.0));
        assert!(table.contains("| 200 ±0 % (1.50) | 100 ±0 % (3.00) | 0.67 |"), "{table}");
    }

    #[test]
    fn csv_has_all() {
        let text = csv(&results(Metric::Cpu, 20.0, 10.0));
        assert!(text.contains("work,5,cpu-ns,tokio-send,1,10.000,10.000,10.000,0.5000\n"), "{text}");
        assert!(text.contains("work,7,cpu-ns,terzetto,1,20.000,20.000,20.000,1.0000\n"), "{text}");
    }
}
