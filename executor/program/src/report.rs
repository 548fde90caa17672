//! A report of a series in one HTML file: what a person looks at before the numbers are used.
//!
//! It opens without a server and without other files: pictures are SVG within the page. It is made field by field, in
//! memory that does not grow with the length of the series, but for a line of the table for each couple.

use std::fmt::Write;

use terzetto_kernels::{
    Flags, VectorField,
    fields::{Scale, derivatives},
};

/// Bins of the histogram of displacements, and of that of their fractions.
const BINS: usize = 40;
const FRACTIONS: usize = 20;
/// So many couples with the lowest shares of valid vectors are listed.
const WORST: usize = 10;
/// Displacements up to this are counted by the pixel, until the series is known: then bins are merged, px.
const LARGEST: usize = 200;

/// What is gathered of a series.
///
/// ```
/// use terzetto_kernels::{VectorField, fields::Scale};
/// use terzetto_program::report::Report;
/// let report = Report::new("series.piv", Scale::PIXELS);
/// assert!(report.html(&VectorField::default()).contains("0 fields"));
/// ```
#[derive(Debug)]
pub struct Report {
    name: String,
    scale: Scale,
    /// Name, share of valid vectors, and number of vectors that count, of each couple.
    couples: Vec<(String, f64, usize)>,
    /// How many vectors have each flag.
    flags: [usize; Flags::ALL.len()],
    /// Lengths of valid displacements in tenths of a pixel.
    lengths: Vec<usize>,
    /// Fractions of the components of valid displacements.
    fractions: [usize; FRACTIONS],
}

impl Report {
    /// A report of no field yet.
    pub fn new(name: &str, scale: Scale) -> Report {
        Report {
            name: name.to_owned(),
            scale,
            couples: Vec::new(),
            flags: [0; Flags::ALL.len()],
            lengths: vec![0; 10 * LARGEST],
            fractions: [0; FRACTIONS],
        }
    }

    /// Adds the field of a couple.
    pub fn add(&mut self, name: &str, field: &VectorField) {
        let (mut vectors, mut valid) = (0, 0);
        for vector in &field.vectors {
            for (count, (flag, _)) in self.flags.iter_mut().zip(Flags::ALL) {
                *count += usize::from(vector.flags.contains(flag));
            }
            if vector.flags.contains(Flags::MASKED) {
                continue;
            }
            vectors += 1;
            if !vector.flags.is_valid() {
                continue;
            }
            valid += 1;
            let bin = (10.0 * vector.dx.hypot(vector.dy)) as usize;
            let last = self.lengths.len() - 1;
            self.lengths[bin.min(last)] += 1;
            for component in [vector.dx, vector.dy] {
                let fraction = component.rem_euclid(1.0);
                self.fractions[((fraction * FRACTIONS as f64) as usize).min(FRACTIONS - 1)] += 1;
            }
        }
        self.couples.push((name.to_owned(), valid as f64 / f64::from(vectors.max(1)), vectors as usize));
    }

    /// How much displacements prefer whole pixels, 0 to 1: the deepest dent of the histogram of their fractions, 0 for
    /// none. Above 0.2 or so, particles are too small or windows see too few of them.
    pub fn peak_locking(&self) -> f64 {
        let middle = FRACTIONS / 4..3 * FRACTIONS / 4;
        let sum = |range: std::ops::Range<usize>| self.fractions[range].iter().sum::<usize>() as f64;
        let all = sum(0..FRACTIONS);
        if all == 0.0 { 0.0 } else { (1.0 - 2.0 * sum(middle) / all).max(0.0) }
    }

    /// The page, with the mean field of the series.
    pub fn html(&self, mean: &VectorField) -> String {
        let vectors: usize = self.couples.iter().map(|(.., vectors)| vectors).sum();
        let valid: f64 = self.couples.iter().map(|(_, share, vectors)| share * *vectors as f64).sum();
        let mut page = String::new();
        // Writing into a string cannot fail.
        let _ = write!(
            page,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title><style>{STYLE}</style>\
             </head><body>\n<h1>{name}</h1>\n<p>{count} fields, {vectors} vectors, {share:.1} % of them valid. \
             Displacements prefer whole pixels by {locking:.0} %. {program}</p>\n",
            name = escape(&self.name),
            count = self.couples.len(),
            share = 100.0 * valid / vectors.max(1) as f64,
            locking = 100.0 * self.peak_locking(),
            program = crate::PROGRAM,
        );
        let _ = write!(page, "<h2>Mean field and its vorticity</h2>\n{}", field_picture(mean, &self.scale));
        let (lengths, width) = self.length_bins();
        let _ = write!(
            page,
            "<h2>Lengths of displacements, bins of {width:.1} px</h2>\n{}\
             <h2>Fractions of displacements: level without peak locking</h2>\n{}",
            bars(&lengths),
            bars(&self.fractions)
        );
        let shares: Vec<usize> = self.couples.iter().map(|(_, share, _)| (1000.0 * share) as usize).collect();
        let _ = write!(page, "<h2>Share of valid vectors, couple by couple</h2>\n{}", bars(&shares));
        let mut worst: Vec<_> = self.couples.iter().collect();
        worst.sort_by(|a, b| a.1.total_cmp(&b.1));
        let _ = write!(page, "<h2>Worst couples</h2>\n<table><tr><th>couple<th>valid, %<th>vectors</tr>\n");
        for (name, share, vectors) in worst.into_iter().take(WORST) {
            let _ = writeln!(page, "<tr><td>{}<td>{:.1}<td>{vectors}</tr>", escape(name), 100.0 * share);
        }
        let _ = write!(page, "</table>\n<h2>Flags</h2>\n<table><tr><th>flag<th>vectors</tr>\n");
        for (count, (_, name)) in self.flags.iter().zip(Flags::ALL) {
            if *count > 0 {
                let _ = writeln!(page, "<tr><td>{name}<td>{count}</tr>");
            }
        }
        page.push_str("</table>\n</body></html>\n");
        page
    }

    /// The histogram of lengths up to the largest one, and the width of its bins, px.
    fn length_bins(&self) -> (Vec<usize>, f64) {
        let used = self.lengths.iter().rposition(|&count| count > 0).map_or(1, |last| last + 1);
        let merged = used.div_ceil(BINS);
        let bins = self.lengths[..used].chunks(merged).map(|counts| counts.iter().sum()).collect();
        (bins, merged as f64 / 10.0)
    }
}

const STYLE: &str = "body{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
                     svg{background:#fafafa;border:1px solid #ccc;max-width:100%}\
                     td,th{padding:.1em 1em;text-align:left}";

/// Text that is no markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A histogram.
fn bars(counts: &[usize]) -> String {
    let (width, height) = (800.0, 160.0);
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = width / counts.len().max(1) as f64;
    let mut picture = format!("<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\">");
    for (index, &count) in counts.iter().enumerate() {
        let tall = (height - 10.0) * count as f64 / most;
        let _ = write!(
            picture,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"#47a\"><title>{count}</title></rect>",
            index as f64 * step,
            height - tall,
            0.9 * step
        );
    }
    picture + "</svg>\n"
}

/// Arrows on cells whose colors are the vorticity: red turns counter-clockwise, blue clockwise.
fn field_picture(field: &VectorField, scale: &Scale) -> String {
    let (Some(first), Some(last)) = (field.vectors.first(), field.vectors.last()) else {
        return "<p>no field</p>\n".to_owned();
    };
    let step = ((last.x - first.x) / (field.nx.max(2) - 1) as f64).max(1.0);
    let found = derivatives(field, false);
    let largest = |values: &mut dyn Iterator<Item = f64>| {
        values.filter(|value| value.is_finite()).fold(0.0_f64, f64::max)
    };
    let most = largest(&mut found.iter().map(|point| point.vorticity().abs()));
    let longest = largest(&mut field.vectors.iter().map(|vector| vector.dx.hypot(vector.dy)));
    let stretch = if longest > 0.0 { 1.6 * step / longest } else { 0.0 };
    let (left, top) = (first.x - step, first.y - step);
    let (width, height) = (last.x - first.x + 2.0 * step, last.y - first.y + 2.0 * step);
    let mut picture = format!("<svg viewBox=\"{left:.1} {top:.1} {width:.1} {height:.1}\" width=\"800\">");
    for (vector, point) in field.vectors.iter().zip(&found) {
        let strength = if most > 0.0 { point.vorticity() / most } else { 0.0 };
        if strength.is_finite() {
            let pale = (255.0 * (1.0 - strength.abs())) as u8;
            let (red, blue) = if strength > 0.0 { (255, pale) } else { (pale, 255) };
            let _ = write!(
                picture,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{step:.1}\" height=\"{step:.1}\" fill=\"rgb({red},{pale},{blue})\"/>",
                vector.x - 0.5 * step,
                vector.y - 0.5 * step
            );
        }
        if vector.flags.is_valid() && vector.dx.is_finite() {
            let (x, y) = (vector.x, vector.y);
            let (dx, dy) = (stretch * vector.dx, stretch * vector.dy);
            let (tip_x, tip_y) = (x + dx, y + dy);
            let _ = write!(
                picture,
                "<path d=\"M{x:.1} {y:.1}L{tip_x:.1} {tip_y:.1}M{:.1} {:.1}L{tip_x:.1} {tip_y:.1}L{:.1} {:.1}\" \
                 stroke=\"#222\" stroke-width=\"{:.2}\" fill=\"none\"/>",
                tip_x - 0.3 * dx - 0.15 * dy,
                tip_y - 0.3 * dy + 0.15 * dx,
                tip_x - 0.3 * dx + 0.15 * dy,
                tip_y - 0.3 * dy - 0.15 * dx,
                0.06 * step
            );
        }
    }
    let unit = if scale.is_pixels() { "px" } else { "m/s" };
    let _ = write!(
        picture,
        "</svg>\n<p>Longest arrow {:.4} {unit}; largest vorticity {:.4}; red turns counter-clockwise.</p>\n",
        scale.velocity(longest),
        scale.rate(most)
    );
    picture
}

#[cfg(test)]
mod tests {
    use terzetto_kernels::Vector;

    use super::*;

    fn field(displacement: impl Fn(usize) -> f64, flags: impl Fn(usize) -> Flags) -> VectorField {
        let vector = |index: usize| Vector {
            x: 8.0 * (index % 10) as f64,
            y: 8.0 * (index / 10) as f64,
            dx: displacement(index),
            dy: displacement(index),
            correlation: 0.8,
            peak_ratio: 2.0,
            flags: flags(index),
        };
        VectorField { nx: 10, ny: 10, vectors: (0..100).map(vector).collect() }
    }

    #[test]
    fn shares_worst_couples_and_flags_are_in_the_page() {
        let mut report = Report::new("a<b", Scale::PIXELS);
        let good = field(|index| 0.01 * index as f64, |_| Flags::default());
        report.add("fine", &good);
        let wrong = |index| if index < 40 { Flags::MEDIAN_OUTLIER } else { Flags::default() };
        report.add("poor", &field(|index| 0.01 * index as f64, wrong));
        let page = report.html(&good);
        assert!(page.contains("2 fields, 200 vectors, 80.0 % of them valid") && page.contains("a&lt;b"));
        assert!(page.contains("<td>median_outlier<td>40"));
        let table = &page[page.find("Worst couples").unwrap()..];
        assert!(table.find("poor<td>60.0") < table.find("fine<td>100.0"));
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        assert!(!page.contains("NaN") && !page.contains("http"), "it needs nothing else");
    }

    #[test]
    fn locked_peaks_are_told_from_free_ones() {
        let of = |displacement: &dyn Fn(usize) -> f64| {
            let mut report = Report::new("", Scale::PIXELS);
            report.add("", &field(displacement, |_| Flags::default()));
            report.peak_locking()
        };
        assert!(of(&|index| 0.01 * index as f64 + 0.005) < 0.05);
        assert!(of(&|index| index as f64 + 0.1) > 0.95);
    }
}
