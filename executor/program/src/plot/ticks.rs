//! Round numbers along an axis.

/// A round value and how it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub value: f32,
    pub label: String,
}

/// The multiples of a step between two values, about `count` of them. The step is 1, 2 or 5 times a power of ten. If
/// there is no range between the values, the only tick is `start`.
pub fn ticks(start: f32, end: f32, count: usize) -> Vec<Tick> {
    let length = end - start;
    // If the step is smaller than the rounding of the values, the ticks would all be the same value.
    let resolved = length > 1e-5 * start.abs().max(end.abs());
    if !(length.is_finite() && resolved && count > 0) {
        return vec![Tick { value: start, label: label(start, 2) }];
    }
    let rough = length / count as f32;
    let unit = 10f32.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * unit)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * unit);
    let decimals = (-(step * 1.0001).log10().floor()).max(0.0) as usize;
    // The ends may be slightly wrong by rounding.
    let (first, last) = ((start / step - 1e-4).ceil() as i64, (end / step + 1e-4).floor() as i64);
    (first..=last)
        .map(|index| index as f32 * step)
        .map(|value| Tick { value, label: label(value, decimals) })
        .collect()
}

/// A number as text, with a true minus sign.
pub fn label(value: f32, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value < 0.0 && !is_zero { format!("−{digits}") } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(start: f32, end: f32, count: usize) -> Vec<String> {
        ticks(start, end, count).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(labels(0.0, 512.0, 6), ["0", "100", "200", "300", "400", "500"]);
        assert_eq!(labels(0.0, 10.0, 5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(0.0, 0.31, 4), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(-15.0, 15.0, 6), ["−15", "−10", "−5", "0", "5", "10", "15"]);
        assert_eq!(labels(3.31, 3.58, 3), ["3.4", "3.5"]);
    }

    #[test]
    fn what_is_no_range_has_one_tick() {
        assert_eq!(labels(0.0, 0.0, 5), ["0.00"]);
        assert_eq!(labels(7.0, 7.000_001, 5), ["7.00"]);
        assert_eq!(ticks(0.0, f32::NAN, 5).len(), 1);
        assert_eq!(ticks(0.0, 1.0, 0).len(), 1);
    }

    #[test]
    fn nothing_is_minus_zero() {
        assert_eq!(label(-0.001, 2), "0.00");
        assert_eq!(label(-0.01, 2), "−0.01");
    }
}
