//! A chart as a picture.

use std::fmt::Write;

use super::{
    escaped,
    record::{Bin, Record, Series},
};

// Writing to a `String` cannot fail, so the results of `write!` are ignored in this file.

/// Where the areas begin, and how wide they are, in pixels.
const LEFT: f64 = 190.0;
const WIDTH: f64 = 700.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 30.0;
const AREA: f64 = 30.0;
const LANE: f64 = 8.0;
const GAP: f64 = 14.0;
/// With more calls than this, a bar for each would be a blur, and a large file.
const MOST_BARS: usize = 1_500;
const MOST_LANES: usize = 16;

const STYLE: &str = "\
.gc{font:12px system-ui,sans-serif}.gc text{fill:#24292f}.gc .s{fill:#57606a;font-size:10px}\
.gc .l{stroke:#d0d7de;stroke-width:1}.gc .w{fill:#54aeff}.gc .q{fill:#d4a72c}.gc .b{fill:#0969da}.gc .f{fill:#cf222e}\
@media(prefers-color-scheme:dark){.gc text{fill:#e6edf3}.gc .s{fill:#9aa4af}.gc .l{stroke:#30363d}\
.gc .w{fill:#1f6feb}.gc .q{fill:#9e6a03}.gc .b{fill:#79c0ff}.gc .f{fill:#ff7b72}}";

/// The picture while it is drawn.
struct Drawing<'a> {
    record: &'a Record,
    svg: String,
    /// Where the next area begins.
    y: f64,
    /// Seconds from the left to the right.
    elapsed: f64,
}

pub(super) fn render(record: &Record) -> String {
    let elapsed = record.elapsed().max(record.width);
    let mut drawing = Drawing { record, svg: String::new(), y: TOP, elapsed };
    for work in record.works_in_order() {
        drawing.work(work);
    }
    for queue in &record.queues {
        drawing.queue(queue);
    }
    let (height, width) = (drawing.y + BOTTOM, LEFT + WIDTH + RIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"gc\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>Which work ran when</title><style>{STYLE}</style>\n"
    );
    axis(&mut svg, elapsed, drawing.y);
    svg.push_str(&drawing.svg);
    if record.left_out > 0 {
        let _ = writeln!(
            svg,
            "<text class=\"s\" x=\"{LEFT}\" y=\"{:.0}\">{} calls of less than {:.2} ms are in the areas only</text>",
            height - 8.0,
            record.left_out,
            record.least * 1e3
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Lines at round times.
fn axis(svg: &mut String, elapsed: f64, bottom: f64) {
    let rough = elapsed / 8.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= rough).unwrap_or(rough);
    let digits = usize::try_from(-(step.log10().floor() as i64)).unwrap_or(0);
    let mut line = 0;
    while f64::from(line) * step <= elapsed {
        let time = f64::from(line) * step;
        let x = LEFT + WIDTH * time / elapsed;
        let _ = writeln!(
            svg,
            "<path class=\"l\" d=\"M{x:.1} {:.1}V{bottom:.1}\"/><text class=\"s\" x=\"{x:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{time:.digits$} s</text>",
            TOP - 6.0,
            TOP - 12.0
        );
        line += 1;
    }
}

impl Drawing<'_> {
    fn x(&self, time: f64) -> f64 {
        LEFT + WIDTH * (time / self.elapsed).clamp(0.0, 1.0)
    }

    /// How many calls of a work ran at once, and a bar for each call if there are few.
    fn work(&mut self, work: usize) {
        let (record, series) = (self.record, &self.record.works[work]);
        let width = record.width;
        let peak = series.bins.iter().map(|bin| bin.sum / width).fold(0.0, f64::max);
        let numbers = record.numbers_of(work);
        let most = numbers.map_or(1, |numbers| numbers.max_workers) as f64;
        let busy: f64 = series.bins.iter().map(|bin| bin.sum).sum();
        let kind =
            numbers.map_or_else(String::new, |numbers| format!("{}, at most {most} at once", numbers.kind));
        let load = 100.0 * busy / (most * self.elapsed);
        self.labels(&series.name, &kind, &format!("{busy:.2} s"), &format!("busy {load:.0} %"));
        // The whole height is as many calls as ever ran at once.
        self.area(&series.bins, "w", peak.ceil().max(1.0), |bin| bin.sum / width);
        self.y += AREA;
        let lanes = record.lanes(work);
        let count = lanes.iter().map(|(lane, _)| lane + 1).max().unwrap_or(0);
        if record.left_out == 0 && record.calls.len() <= MOST_BARS && count <= MOST_LANES {
            for (lane, call) in lanes {
                let (x, end) = (self.x(call.from), self.x(call.from + call.took));
                let class = if call.failed { "f" } else { "b" };
                let _ = writeln!(
                    self.svg,
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1\">\
                     <title>{} {}: {:.2} ms{}</title></rect>",
                    self.y + 2.0 + LANE * lane as f64,
                    (end - x - 0.4).max(0.6),
                    LANE - 2.0,
                    escaped(&series.name),
                    escaped(call.key.as_str()),
                    call.took * 1e3,
                    if call.failed { ", failed" } else { "" }
                );
            }
            self.y += LANE * count as f64;
        }
        self.y += GAP;
    }

    /// How many items were in a queue.
    fn queue(&mut self, queue: &Series) {
        let most = queue.bins.iter().map(|bin| bin.most).max().unwrap_or(0);
        let (sum, looks) =
            queue.bins.iter().fold((0.0, 0), |(sum, looks), bin| (sum + bin.sum, looks + bin.count));
        let mean = sum / (looks.max(1)) as f64;
        self.labels(&queue.name, "queue", &format!("at most {most}"), &format!("mean {mean:.1}"));
        let mut last = 0.0;
        let filled: Vec<Bin> = queue
            .bins
            .iter()
            .map(|bin| {
                // Where nobody has looked, it is as it was.
                last = if bin.count > 0 { bin.sum / bin.count as f64 } else { last };
                Bin { sum: last, ..*bin }
            })
            .collect();
        self.area(&filled, "q", most.max(1) as f64, |bin| bin.sum);
        self.y += AREA + GAP;
    }

    fn labels(&mut self, name: &str, under: &str, right: &str, right_under: &str) {
        let (first, second, x) = (self.y + 12.0, self.y + 26.0, LEFT + WIDTH + 10.0);
        let _ = writeln!(
            self.svg,
            "<text x=\"10\" y=\"{first:.1}\">{}</text><text class=\"s\" x=\"10\" y=\"{second:.1}\">{}</text>\
             <text class=\"s\" x=\"{x}\" y=\"{first:.1}\">{right}</text>\
             <text class=\"s\" x=\"{x}\" y=\"{second:.1}\">{right_under}</text>",
            escaped(&short(name)),
            escaped(under)
        );
    }

    /// A value over time, as steps.
    fn area(&mut self, bins: &[Bin], class: &str, most: f64, value: impl Fn(&Bin) -> f64) {
        let bottom = self.y + AREA;
        let mut path = format!("M{LEFT} {bottom:.1}");
        for (bin, content) in bins.iter().enumerate() {
            let y = bottom - AREA * (value(content) / most).clamp(0.0, 1.0);
            let end = self.x((bin + 1) as f64 * self.record.width);
            let _ = write!(path, "V{y:.1}H{end:.1}");
        }
        let _ = writeln!(
            self.svg,
            "<path class=\"l\" d=\"M{LEFT} {bottom:.1}h{WIDTH}\"/><path class=\"{class}\" d=\"{path}V{bottom:.1}z\"/>"
        );
    }
}

/// A name that fits beside the areas.
fn short(name: &str) -> String {
    const LONGEST: usize = 26;
    match name.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_owned(),
    }
}
