//! A chart as a trace in the JSON format of Chrome.

use std::fmt::{self, Display, Write};

use super::record::Record;

/// Text as JSON, in quotes.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c < ' ' => write!(f, "\\u{:04x}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

fn micros(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e3
}

pub(super) fn render(record: &Record) -> String {
    let mut events = Vec::new();
    let mut track = 0;
    for work in record.works_in_order() {
        let name = &record.works[work].name;
        let lanes = record.lanes(work);
        let count = lanes.iter().map(|(lane, _)| lane + 1).max().unwrap_or(0);
        for lane in 0..count {
            let number = track + lane;
            let label = if count == 1 { name.clone() } else { format!("{name} {}", lane + 1) };
            events.push(format!(
                r#"{{"ph":"M","pid":1,"tid":{number},"name":"thread_name","args":{{"name":{}}}}}"#,
                Text(&label)
            ));
            events.push(format!(
                r#"{{"ph":"M","pid":1,"tid":{number},"name":"thread_sort_index","args":{{"sort_index":{number}}}}}"#
            ));
        }
        for (lane, call) in lanes {
            events.push(format!(
                r#"{{"ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"cat":"{}","name":{},"args":{{"item":{},"failed":{}}}}}"#,
                track + lane,
                micros(call.from),
                micros(call.took),
                if call.failed { "failed" } else { "call" },
                Text(name),
                Text(call.key.as_str()),
                call.failed
            ));
        }
        track += count;
        counter(&mut events, &format!("calls of {name} at once"), &record.works[work].bins, record, |bin| {
            bin.sum / record.width
        });
    }
    for queue in &record.queues {
        counter(&mut events, &format!("items in {}", queue.name), &queue.bins, record, |bin| {
            if bin.count == 0 { f64::NAN } else { bin.sum / bin.count as f64 }
        });
    }
    format!("{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{}\n]}}\n", events.join(",\n"))
}

/// The values of a counter over time. Where nobody has looked, there is none.
fn counter(
    events: &mut Vec<String>,
    name: &str,
    bins: &[super::record::Bin],
    record: &Record,
    value: impl Fn(&super::record::Bin) -> f64,
) {
    for (bin, value) in bins.iter().map(value).enumerate().filter(|(_, value)| value.is_finite()) {
        events.push(format!(
            r#"{{"ph":"C","pid":1,"ts":{},"name":{},"args":{{"value":{}}}}}"#,
            micros(bin as f64 * record.width),
            Text(name),
            (value * 1e3).round() / 1e3
        ));
    }
}
