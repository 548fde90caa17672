//! A timeline as a page.

use crate::observe::timeline::{
    layout::{Layout, Row},
    svg,
    svg::Escaped,
};
use std::{collections::BTreeMap, fmt, fmt::Write};

const STYLE: &str = "\
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}\
figure{margin:1rem 0;overflow-x:auto}table{border-collapse:collapse}\
th,td{text-align:left;padding:.2rem .8rem;border-bottom:1px solid #8884;vertical-align:top}\
td.n{text-align:right}code{font-size:13px}";

/// Writes the page. Writing into a string cannot fail, so what it returns is left aside.
pub(super) fn write(layout: &Layout, title: &str) -> String {
    let mut page = String::new();
    let _ = draw(&mut page, layout, title);
    page
}

fn draw(to: &mut String, layout: &Layout, title: &str) -> fmt::Result {
    let title = Escaped(title);
    writeln!(
        to,
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p>Each task has a row, and time runs to the right, one step after the other. Point at a sign to see what it is.</p>
<figure>"#
    )?;
    to.push_str(&svg::write(layout));
    to.push_str(
        "</figure>\n<table><tr><th>task<th>started at<th>steps<th>what it waited in, how often</tr>\n",
    );
    for row in &layout.rows {
        write_row(to, row)?;
    }
    to.push_str("</table>\n");
    if !layout.cancellations.is_empty() {
        to.push_str("<h2>Cancellations</h2>\n<ul>\n");
        for cancellation in &layout.cancellations {
            let name = &layout.rows[cancellation.row].label.name;
            writeln!(to, "<li>{}: {}", Escaped(name), Escaped(&cancellation.reason))?;
        }
        to.push_str("</ul>\n");
    }
    to.push_str("</body></html>\n");
    Ok(())
}

fn write_row(to: &mut String, row: &Row) -> fmt::Result {
    let place = row.label.place.map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
    let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
    for what in row.pauses.iter().flat_map(|pause| &pause.what) {
        *waits.entry(what).or_default() += 1;
    }
    let waits: Vec<String> = waits.into_iter().map(|(what, count)| format!("{what} ×{count}")).collect();
    writeln!(
        to,
        r#"<tr><td style="padding-left:{}rem">{}<td><code>{}</code><td class="n">{}<td>{}</tr>"#,
        0.8 + row.depth as f64,
        Escaped(&row.label.name),
        Escaped(&place),
        row.steps.len(),
        Escaped(&waits.join(", "))
    )
}
