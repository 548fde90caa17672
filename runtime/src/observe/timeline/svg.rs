//! A timeline as a picture.

use crate::observe::timeline::layout::{Layout, Pause, Row};
use std::fmt::{self, Display, Write};

/// The width of a unit of the logical time, in pixels.
const UNIT: f64 = 17.0;
const ROW: f64 = 30.0;
const BLOCK: f64 = 15.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 34.0;
const MARGIN: f64 = 12.0;
/// The width of a letter of the labels, on average.
const LETTER: f64 = 6.6;
/// The same of the small letters in waits.
const SMALL_LETTER: f64 = 5.0;
/// A task's name is cut off after so many letters.
const LONGEST_NAME: usize = 28;

// Each colour is written where it is used, and again for dark pages: not all programs that draw pictures know variables.
const STYLE: &str = "\
.tz{font:12px system-ui,sans-serif}\
.tz text{fill:#24292f}.tz .s{fill:#57606a;font-size:9.5px}.tz .k{fill:#eef1f5}.tz .r{fill:#0969da}\
.tz .w{stroke:#b6bec9;stroke-width:2}.tz .y{stroke-dasharray:2 3}\
.tz .a{fill:none;stroke:#1a7f37;stroke-width:1.2}.tz .h{fill:#1a7f37}\
.tz .o{fill:none;stroke:#1a7f37;stroke-width:1.4}.tz .x{fill:none;stroke:#cf222e;stroke-width:2}\
.tz .e{stroke:#57606a;stroke-width:1.5}\
@media(prefers-color-scheme:dark){\
.tz text{fill:#e6edf3}.tz .s{fill:#9aa4af}.tz .k{fill:#1c222b}.tz .r{fill:#58a6ff}.tz .w{stroke:#4b5563}\
.tz .a,.tz .o{stroke:#56d364}.tz .h{fill:#56d364}.tz .x{stroke:#ff7b72}.tz .e{stroke:#9aa4af}}";

/// Text in which the signs of the markup are escaped.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A number of pixels, with one digit after the point at most.
struct Px(f64);

impl Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", (self.0 * 10.0).round() / 10.0)
    }
}

/// Where things are.
struct Frame {
    left: f64,
    width: f64,
    height: f64,
}

impl Frame {
    fn x(&self, place: f64) -> f64 {
        self.left + place * UNIT
    }

    /// The middle of a row.
    fn y(&self, row: usize) -> f64 {
        TOP + (row as f64 + 0.5) * ROW
    }
}

/// The name of a task. Of a function's path, the last part says most.
fn name_of(row: &Row) -> String {
    let name = &row.label.name;
    let name = name.rsplit_once("::").map_or(name.as_str(), |(_, last)| last);
    match name.char_indices().nth(LONGEST_NAME) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_owned(),
    }
}

/// Draws the layout. Writing into a string cannot fail, so what it returns is left aside.
pub(super) fn write(layout: &Layout) -> String {
    let mut svg = String::new();
    let _ = draw(&mut svg, layout);
    svg
}

fn draw(to: &mut String, layout: &Layout) -> fmt::Result {
    let label = |row: &Row| name_of(row).chars().count() as f64 * LETTER + 12.0 * row.depth as f64;
    let left = layout.rows.iter().map(label).fold(60.0, f64::max) + 2.0 * MARGIN;
    let width = (left + (layout.end.place + 1.0) * UNIT + MARGIN).max(430.0);
    let height = TOP + layout.rows.len() as f64 * ROW + BOTTOM;
    let frame = Frame { left, width, height };
    writeln!(
        to,
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="tz" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">"#,
        Px(width),
        Px(height)
    )?;
    writeln!(to, "<title>What the tasks did, step by step</title><style>{STYLE}</style>")?;
    draw_ticks(to, layout, &frame)?;
    for (place, row) in layout.rows.iter().enumerate() {
        draw_row(to, place, row, &frame)?;
    }
    draw_wakes(to, layout, &frame)?;
    draw_cancellations(to, layout, &frame)?;
    draw_legend(to, &frame)?;
    to.push_str("</svg>\n");
    Ok(())
}

/// The pale columns, and the clock where it has moved.
fn draw_ticks(to: &mut String, layout: &Layout, frame: &Frame) -> fmt::Result {
    let bottom = frame.height - BOTTOM;
    let mut free = 0.0;
    for tick in layout.ticks.iter().filter(|tick| tick.to > tick.from) {
        let (x, width) = (frame.x(tick.from), (tick.to - tick.from) * UNIT);
        writeln!(
            to,
            r#"<rect class="k" x="{}" y="{}" width="{}" height="{}" rx="3"/>"#,
            Px(x),
            Px(TOP),
            Px(width),
            Px(bottom - TOP)
        )?;
        if let Some(clock) = tick.clock
            && x >= free
        {
            let text = format!("{} s", (clock * 1e3).round() / 1e3);
            writeln!(to, r#"<text class="s" x="{}" y="{}">{text}</text>"#, Px(x), Px(TOP - 6.0))?;
            free = x + (text.len() as f64 + 1.0) * SMALL_LETTER;
        }
    }
    Ok(())
}

fn draw_row(to: &mut String, place: usize, row: &Row, frame: &Frame) -> fmt::Result {
    let y = frame.y(place);
    writeln!(
        to,
        r#"<text x="{}" y="{}">{}<title>task {}</title></text>"#,
        Px(MARGIN + 12.0 * row.depth as f64),
        Px(y + 4.0),
        Escaped(&name_of(row)),
        Escaped(&row.label.in_full())
    )?;
    for pause in &row.pauses {
        draw_pause(to, y, pause, frame)?;
    }
    if let Some(first) = row.steps.first()
        && first.from.place > row.from.place
    {
        let started = Pause { from: row.from, to: first.from, what: Vec::new() };
        draw_pause(to, y, &started, frame)?;
    }
    for (number, step) in row.steps.iter().enumerate() {
        writeln!(
            to,
            r#"<rect class="r" x="{}" y="{}" width="{}" height="{}" rx="2"><title>step {} of {}</title></rect>"#,
            Px(frame.x(step.from.place) + 1.0),
            Px(y - BLOCK / 2.0),
            Px((step.to.place - step.from.place) * UNIT - 2.0),
            Px(BLOCK),
            number + 1,
            Escaped(&row.label.name)
        )?;
    }
    if row.ended
        && let Some(last) = row.steps.last()
    {
        let x = frame.x(last.to.place) + 2.0;
        writeln!(
            to,
            r#"<line class="e" x1="{0}" y1="{1}" x2="{0}" y2="{2}"><title>{3} ends</title></line>"#,
            Px(x),
            Px(y - BLOCK / 2.0 - 3.0),
            Px(y + BLOCK / 2.0 + 3.0),
            Escaped(&row.label.name)
        )?;
    }
    Ok(())
}

/// A line for the wait between two steps, with its reason if there is room.
fn draw_pause(to: &mut String, y: f64, pause: &Pause, frame: &Frame) -> fmt::Result {
    let (from, end) = (frame.x(pause.from.place), frame.x(pause.to.place));
    if end - from < 1.0 {
        return Ok(());
    }
    let (text, class) = match pause.what.is_empty() {
        true => ("runnable, or waiting for its nursery to end".to_owned(), "w y"),
        false => (pause.what.join(", "), "w"),
    };
    writeln!(
        to,
        r#"<line class="{class}" x1="{}" y1="{y}" x2="{}" y2="{y}"><title>{}</title></line>"#,
        Px(from),
        Px(end),
        Escaped(&text),
        y = Px(y)
    )?;
    let room = ((end - from - 6.0) / SMALL_LETTER) as usize;
    if !pause.what.is_empty() && text.chars().count() <= room {
        writeln!(
            to,
            r#"<text class="s" x="{}" y="{}" text-anchor="middle">{}</text>"#,
            Px((from + end) / 2.0),
            Px(y - 4.0),
            Escaped(&text)
        )?;
    }
    Ok(())
}

/// Arrows from the step that has woken a task, and rings for wakes from outside.
fn draw_wakes(to: &mut String, layout: &Layout, frame: &Frame) -> fmt::Result {
    for wake in &layout.wakes {
        let (x, y) = (frame.x(wake.to.place), frame.y(wake.row));
        match wake.by {
            // A task that has woken itself has let others run.
            Some(by) if by == wake.row => {}
            Some(by) => {
                let down = if by < wake.row { 1.0 } else { -1.0 };
                let (from_x, from_y) = (frame.x(wake.from.place), frame.y(by) + down * BLOCK / 2.0);
                let tip_y = y - down * BLOCK / 2.0;
                let tip_x = x + 4.0;
                writeln!(
                    to,
                    r#"<path class="a" d="M{0} {1}C{0} {2} {3} {4} {3} {5}"><title>{6} wakes {7}</title></path><path class="h" d="M{3} {8}l-3 {9}h6z"/>"#,
                    Px(from_x),
                    Px(from_y),
                    Px(from_y + down * 12.0),
                    Px(tip_x),
                    Px(tip_y - down * 14.0),
                    Px(tip_y - down * 4.0),
                    Escaped(&layout.rows[by].label.name),
                    Escaped(&layout.rows[wake.row].label.name),
                    Px(tip_y),
                    Px(-down * 5.0),
                )?;
            }
            None if wake.to.place > 0.0 => writeln!(
                to,
                r#"<circle class="o" cx="{}" cy="{}" r="3.2"><title>woken from outside</title></circle>"#,
                Px(x - 4.0),
                Px(y)
            )?,
            None => {}
        }
    }
    Ok(())
}

fn draw_cancellations(to: &mut String, layout: &Layout, frame: &Frame) -> fmt::Result {
    for cancellation in &layout.cancellations {
        let (x, y) = (frame.x(cancellation.at.place), frame.y(cancellation.row));
        writeln!(
            to,
            r#"<path class="x" d="M{} {}l8 8m0 -8l-8 8"><title>{}</title></path>"#,
            Px(x - 4.0),
            Px(y - 4.0),
            Escaped(&cancellation.reason)
        )?;
    }
    Ok(())
}

fn draw_legend(to: &mut String, frame: &Frame) -> fmt::Result {
    let y = frame.height - 13.0;
    let mut x = MARGIN;
    let signs = [
        (
            "step",
            format!(r#"<rect class="r" x="{}" y="{}" width="13" height="9" rx="2"/>"#, Px(x), Px(y - 4.5)),
        ),
        ("wait", String::new()),
        ("wake", String::new()),
        ("from outside", String::new()),
        ("cancellation", String::new()),
        ("end", String::new()),
    ];
    for (name, sign) in signs {
        let sign = match name {
            "step" => sign,
            "wait" => format!(r#"<line class="w" x1="{}" y1="{y}" x2="{}" y2="{y}"/>"#, Px(x), Px(x + 14.0)),
            "wake" => format!(
                r#"<path class="a" d="M{0} {1}h10"/><path class="h" d="M{2} {1}l-5 -3v6z"/>"#,
                Px(x),
                Px(y),
                Px(x + 14.0)
            ),
            "from outside" => {
                format!(r#"<circle class="o" cx="{}" cy="{}" r="3.2"/>"#, Px(x + 7.0), Px(y))
            }
            "cancellation" => {
                format!(r#"<path class="x" d="M{} {}l8 8m0 -8l-8 8"/>"#, Px(x + 3.0), Px(y - 4.0))
            }
            _ => format!(
                r#"<line class="e" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>"#,
                Px(x + 9.0),
                Px(y - 6.0),
                Px(y + 6.0)
            ),
        };
        writeln!(to, r#"{sign}<text class="s" x="{}" y="{}">{name}</text>"#, Px(x + 19.0), Px(y + 3.5))?;
        x += 19.0 + (name.len() as f64 + 2.5) * SMALL_LETTER;
    }
    debug_assert!(x <= frame.width, "the legend fits");
    Ok(())
}
