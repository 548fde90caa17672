//! Lengths and times with units, and the options that take them.

use clap::Args;
use terzetto_program::params::ScaleSection;

/// What a pixel and a couple are in the flow.
#[derive(Clone, Debug, Default, Args)]
pub struct ScaleArgs {
    /// The length of a pixel in the flow: 25um, 0.1mm, or a number of metres. With --dt, results have velocities in m/s
    #[arg(long, value_name = "LENGTH", value_parser = parse_length)]
    pub scale: Option<f64>,
    /// The time between the images of a couple: 500us, 1ms, or a number of seconds
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub dt: Option<f64>,
}

impl ScaleArgs {
    /// Overrides parameters.
    pub fn apply(&self, section: &mut ScaleSection) {
        section.pixel = self.scale.or(section.pixel);
        section.dt = self.dt.or(section.dt);
    }
}

/// Names of units, and how many of the unit of SI they are.
type Units = [(&'static str, f64)];

const LENGTHS: &Units = &[
    ("km", 1e3),
    ("cm", 1e-2),
    ("mm", 1e-3),
    ("um", 1e-6),
    ("µm", 1e-6),
    ("μm", 1e-6),
    ("nm", 1e-9),
    ("m", 1.0),
];
const TIMES: &Units =
    &[("min", 60.0), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ns", 1e-9), ("s", 1.0)];

/// A length in metres.
pub fn parse_length(text: &str) -> Result<f64, String> {
    parse(text, LENGTHS, "a length such as 25um, 0.1mm, or 2.5e-5 (metres)")
}

/// A time in seconds.
pub fn parse_time(text: &str) -> Result<f64, String> {
    parse(text, TIMES, "a time such as 500us, 1ms, or 1e-3 (seconds)")
}

fn parse(text: &str, units: &Units, wanted: &str) -> Result<f64, String> {
    let with_unit =
        units.iter().find_map(|(unit, factor)| Some((text.trim().strip_suffix(unit)?.trim_end(), *factor)));
    let (number, factor) = with_unit.unwrap_or((text.trim(), 1.0));
    let value = number.parse::<f64>().ok().map(|number| number * factor);
    value
        .filter(|value| *value > 0.0 && value.is_finite())
        .ok_or_else(|| format!("must be {wanted}, above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_laboratories() {
        let near = |found: Result<f64, String>, wanted: f64| {
            let found = found.expect("a value");
            assert!((found / wanted - 1.0).abs() < 1e-12, "{found} {wanted}");
        };
        near(parse_length("25um"), 25e-6);
        near(parse_length("25 µm"), 25e-6);
        near(parse_length("0.1 mm"), 1e-4);
        near(parse_length("2.5e-5"), 2.5e-5);
        near(parse_length("2m"), 2.0);
        near(parse_time("1ms"), 1e-3);
        near(parse_time("2 min"), 120.0);
        near(parse_time("0.5"), 0.5);
        for bad in ["", "um", "-1", "0", "nan", "inf", "1 inch", "1e400"] {
            assert!(parse_length(bad).is_err() && parse_time(bad).is_err(), "{bad}");
        }
        assert!(parse_time("5mm").is_err() && parse_length("5ms").is_err());
    }
}
