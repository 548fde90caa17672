//! Statistics of a vector field, as a few lines of text.

use terzetto_kernels::{Flags, Vector, VectorField};

/// How many vectors have each flag: `low_correlation 3, replaced 3`.
pub fn flags(field: &VectorField) -> String {
    let count = |flag: Flags| field.vectors.iter().filter(|vector| vector.flags.contains(flag)).count();
    let counts = Flags::ALL.iter().map(|(flag, name)| (count(*flag), name)).filter(|(count, _)| *count > 0);
    counts.map(|(count, name)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// A number of a vector.
type Quantity = fn(&Vector) -> f64;

/// A table of the valid vectors: a line of names, then a line for each quantity.
pub fn table(field: &VectorField) -> Vec<String> {
    let quantities: [(&str, Quantity); 5] = [
        ("dx", |vector| vector.dx),
        ("dy", |vector| vector.dy),
        ("length", |vector| vector.dx.hypot(vector.dy)),
        ("correlation", |vector| vector.correlation),
        ("peak ratio", |vector| vector.peak_ratio),
    ];
    let names = ["mean", "std", "min", "5 %", "median", "95 %", "max"];
    let row = |name: &str, cells: Vec<String>| {
        cells.iter().fold(format!("  {name:11}"), |line, cell| format!("{line} {cell:>9}"))
    };
    let mut lines = vec![row("", names.iter().map(|name| (*name).to_owned()).collect())];
    for (name, value) in quantities {
        let valid = field.vectors.iter().filter(|vector| vector.flags.is_valid());
        if let Some(statistics) = Statistics::of(valid.map(value)) {
            lines.push(row(name, statistics.cells()));
        }
    }
    if lines.len() == 1 {
        lines = vec!["  none is valid".to_owned()];
    }
    lines
}

/// Statistics of the finite values of a quantity.
#[derive(Debug, PartialEq)]
struct Statistics {
    mean: f64,
    deviation: f64,
    /// Smallest, 5 %, median, 95 %, largest.
    percentiles: [f64; 5],
}

impl Statistics {
    fn of(values: impl Iterator<Item = f64>) -> Option<Statistics> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        if values.is_empty() {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let at = |part: f64| values[((count - 1.0) * part).round() as usize];
        Some(Statistics {
            mean,
            deviation: variance.sqrt(),
            percentiles: [0.0, 0.05, 0.5, 0.95, 1.0].map(at),
        })
    }

    fn cells(&self) -> Vec<String> {
        [self.mean, self.deviation]
            .iter()
            .chain(&self.percentiles)
            .map(|value| format!("{value:.3}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_known_numbers() {
        let found = Statistics::of((0..=100).map(f64::from)).unwrap();
        assert_eq!((found.mean, found.percentiles), (50.0, [0.0, 5.0, 50.0, 95.0, 100.0]));
        assert!((found.deviation - 850_f64.sqrt()).abs() < 1e-9);
        assert_eq!(Statistics::of([f64::NAN, f64::INFINITY].into_iter()), None);
    }

    #[test]
    fn only_valid_vectors_count() {
        let vector = |dx: f64, flags: Flags| Vector {
            x: 0.0,
            y: 0.0,
            dx,
            dy: 0.0,
            correlation: 0.5,
            peak_ratio: f64::NAN,
            flags,
        };
        let vectors = vec![vector(2.0, Flags::default()), vector(99.0, Flags::MASKED | Flags::REPLACED)];
        let field = VectorField { nx: 2, ny: 1, vectors };
        assert_eq!(flags(&field), "masked 1, replaced 1");
        let lines = table(&field);
        assert_eq!(lines.len(), 5, "no second peak was searched: {lines:?}");
        assert!(lines[1].starts_with("  dx") && lines[1].contains("2.000") && !lines[1].contains("99"));
        let none = VectorField { nx: 0, ny: 0, vectors: Vec::new() };
        assert_eq!(table(&none), ["  none is valid"]);
    }
}
