//! A picture of the view for the documentation, and a check that it is as the view is now.

use std::{collections::HashMap, fmt::Write as _, fs, path::Path};

use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
    crossterm::event::KeyCode,
    style::{Color, Modifier},
};

use super::{snapshot::Snapshot, view::View};

/// The size of a cell, in pixels.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const MARGIN: f64 = 12.0;

/// The class of a cell's text.
fn class(cell: &Cell) -> &'static str {
    match (cell.fg, cell.modifier) {
        (Color::Red, _) => "r",
        (Color::Yellow, _) => "y",
        (_, modifier) if modifier.contains(Modifier::DIM) => "d",
        (_, modifier) if modifier.contains(Modifier::BOLD) => "b",
        _ => "n",
    }
}

fn is_reversed(cell: &Cell) -> bool {
    cell.modifier.contains(Modifier::REVERSED)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Draws a screen as SVG.
fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let (width, height) =
        (2.0 * MARGIN + WIDTH * f64::from(columns), 2.0 * MARGIN + HEIGHT * f64::from(rows));
    // Writing to a `String` cannot fail.
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n<title>terzetto tasks: the tasks of a running program</title>\
         <style>text{{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#e6edf3;white-space:pre}}\
         .b{{font-weight:bold}}.d{{fill:#9aa4af}}.r{{fill:#ff7b72}}.y{{fill:#e3b341}}.v{{fill:#0d1117}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#0d1117\"/>\n"
    );
    for row in 0..rows {
        let y = MARGIN + HEIGHT * f64::from(row);
        let mut column = 0;
        while column < columns {
            let first = &buffer[(column, row)];
            let (start, mut text) = (column, String::new());
            while column < columns
                && class(&buffer[(column, row)]) == class(first)
                && is_reversed(&buffer[(column, row)]) == is_reversed(first)
            {
                text.push_str(buffer[(column, row)].symbol());
                column += 1;
            }
            let x = MARGIN + WIDTH * f64::from(start);
            let length = WIDTH * f64::from(column - start);
            if is_reversed(first) {
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{HEIGHT}\" fill=\"#e6edf3\"/>"
                );
            }
            let shown = text.trim_end();
            if shown.is_empty() {
                continue;
            }
            let class = if is_reversed(first) { "v" } else { class(first) };
            let length = WIDTH * shown.chars().count() as f64;
            let _ = writeln!(
                svg,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\">{}</text>",
                y + 13.5,
                escaped(shown)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// A service in trouble: two tasks wait for each other's lock, one cleans up after its deadline.
fn snapshot() -> Snapshot {
    type Task = (u64, Option<u64>, &'static str, &'static str, &'static [u64], f64, u64);
    let tasks: &[Task] = &[
        (2, None, "main", "waiting for the end of its nursery", &[3, 4, 5], 0.004, 9),
        (3, Some(2), "listener", "waiting for a connection", &[], 0.118, 1904),
        (4, Some(2), "accounts", "waiting for the end of its nursery", &[6, 7], 0.001, 3),
        (5, Some(2), "sessions", "waiting for the end of its nursery", &[8, 9, 10, 11, 12], 0.062, 311),
        (6, Some(4), "alice to bob", "waiting for a lock", &[7], 0.002, 4),
        (7, Some(4), "bob to alice", "waiting for a lock", &[6], 0.002, 4),
        (8, Some(5), "session", "receiving from a socket", &[], 0.051, 420),
        (9, Some(5), "session", "receiving from a socket", &[], 0.043, 388),
        (10, Some(5), "session", "receiving from a socket", &[], 0.032, 290),
        (11, Some(5), "session", "receiving from a socket", &[], 0.007, 61),
        (12, Some(5), "says goodbye", "sending to a channel", &[], 0.003, 17),
        (13, Some(12), "keeps alive", "sleeping", &[], 0.001, 30),
    ];
    let line: HashMap<&str, u32> = tasks.iter().map(|task| task.2).zip((12..).step_by(7)).collect();
    let tasks: Vec<String> = tasks
        .iter()
        .map(|(id, parent, name, what, holders, busy, steps)| {
            let parent = parent.map_or("null".to_owned(), |parent| parent.to_string());
            let stuck = matches!(id, 4 | 6 | 7);
            let hidden =
                if *id == 12 { "\"cancelled by a deadline\"".to_owned() } else { "null".to_owned() };
            let ends = if *what == "sleeping" { "2.5" } else { "null" };
            format!(
                r#"{{"id":{id},"name":"{name}","started_at":{{"file":"src/bank.rs","line":{}}},"parent":{parent},
                "nursery":null,"state":"blocked","stuck":{stuck},"futurelocked":false,"waits":[{{"what":"{what}",
                "stage":"blocked","ended_by":"tasks","holders":{holders:?},"details":null,"ends_in":{ends},
                "deadline_in":null,"shielded_from":{hidden}}}],"scopes":[],"age":62.4,"steps":{steps},"busy":{busy}}}"#,
                line[name]
            )
        })
        .collect();
    let json = format!(
        r#"{{"schema":"terzetto-snapshot-1","time":62.4,"tick":3120,"next_deadline_in":2.5,
        "outside":["a task waits for a descriptor"],"cycles":[[6,7]],"took":0.001,"tasks":[{}]}}"#,
        tasks.join(",")
    );
    Snapshot::parse(&json).unwrap()
}

#[test]
fn the_picture_in_the_documentation_is_as_the_view_is() {
    let mut view = View::default();
    view.show(snapshot());
    for _ in 0..3 {
        view.key(KeyCode::Down);
    }
    let mut terminal = Terminal::new(TestBackend::new(100, 21)).unwrap();
    terminal.draw(|frame| view.draw(frame)).unwrap();
    let drawn = svg(terminal.backend().buffer());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tasks.svg");
    if std::env::var_os("TERZETTO_DRAW_PICTURES").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(drawn == kept, "docs/tasks.svg is not as the view is now; `.ci/pictures` draws it anew");
}
