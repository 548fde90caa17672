//! A chart as a page.

use std::{fmt::Write, time::Duration};

use super::{escaped, record::Record, svg};
use crate::run::bottleneck;

const STYLE: &str = "\
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:65rem;padding:0 1rem}\
figure{margin:1rem 0;overflow-x:auto}table{border-collapse:collapse}\
th,td{text-align:right;padding:.2rem .8rem;border-bottom:1px solid #8884}\
th:first-child,td:first-child,th:nth-child(2),td:nth-child(2){text-align:left}";

// Writing to a `String` cannot fail, so the results of `write!` are ignored in this file.

pub(super) fn render(record: &Record, title: &str) -> String {
    let (title, elapsed) = (escaped(title), Duration::from_secs_f64(record.elapsed()));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    if let Some(work) = bottleneck(&record.numbers) {
        let _ = writeln!(page, "<p>Bottleneck: {}</p>", escaped(&work.describe_load(elapsed)));
    }
    let _ = writeln!(page, "<figure>\n{}</figure>", svg::render(record));
    page.push_str(
        "<table><tr><th>work<th>kind<th>calls<th>failed<th>mean, ms<th>all, s<th>at once<th>busy, %<th>mean wait, ms</tr>\n",
    );
    let millis = |time: Option<Duration>| match time {
        Some(time) => format!("{:.2}", time.as_secs_f64() * 1e3),
        None => "–".to_owned(),
    };
    for work in &record.numbers {
        let _ = writeln!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{:.2}<td>{}<td>{:.0}<td>{}</tr>",
            escaped(&work.work),
            work.kind,
            work.calls,
            work.failed,
            millis(work.mean()),
            work.busy.as_secs_f64(),
            work.max_workers,
            100.0 * work.load(elapsed),
            millis(work.mean_wait)
        );
    }
    page.push_str("</table>\n</body></html>\n");
    page
}
