//! Timelines as text, drawn from what a program prints.
//!
//! A line of a trace is a time, a name, a colon, and what happened: ` 1.0 child: ends`.

/// Whether a program has a timeline: those that a page on a concept begins with, and its mistakes.
pub fn is_wanted(path: &str) -> bool {
    path.starts_with("concepts/") && !path.ends_with("_solution.rs") && path != "concepts/say.rs"
}

/// The timeline of a program whose output is a trace: a column for each name, a line for each event.
/// `None` if there are fewer than two names, since then the output is the timeline.
pub fn drawn_from(output: &str) -> Option<String> {
    let events: Vec<(&str, &str, &str)> = output.lines().filter_map(event).collect();
    let mut names: Vec<&str> = Vec::new();
    for (_, name, _) in &events {
        if !names.contains(name) {
            names.push(name);
        }
    }
    if names.len() < 2 {
        return None;
    }
    let widths: Vec<usize> = names
        .iter()
        .map(|name| {
            let own = events.iter().filter(|(_, who, _)| who == name);
            own.map(|(_, _, what)| what.chars().count()).max().unwrap_or(0).max(name.chars().count())
        })
        .collect();
    // A trace without a clock counts ticks.
    let mut drawn = String::from(if events[0].0.contains('.') { "time" } else { "tick" });
    for (name, width) in names.iter().zip(&widths) {
        drawn += &format!(" | {name:width$}");
    }
    drawn = drawn.trim_end().to_owned() + "\n";
    let mut last = "";
    for (time, who, what) in events {
        let mut line = format!("{:>4}", if time == last { "" } else { time });
        for (name, width) in names.iter().zip(&widths) {
            line += &format!(" | {:width$}", if *name == who { what } else { "" });
        }
        drawn += line.trim_end();
        drawn += "\n";
        last = time;
    }
    Some(drawn)
}

fn event(line: &str) -> Option<(&str, &str, &str)> {
    let (time, rest) = line.trim_start().split_once(' ')?;
    time.parse::<f64>().ok()?;
    let (who, what) = rest.split_once(": ")?;
    Some((time, who, what))
}
