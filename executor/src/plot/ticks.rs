//! Round numbers along an axis.

/// Round values from 0 to `end` in steps of 1, 2 or 5 times a power of ten, about `count` of them,
/// and how many decimals tell them apart.
pub fn ticks(end: f32, count: usize) -> (Vec<f32>, usize) {
    if !(end > 0.0 && end.is_finite()) || count == 0 {
        return (vec![0.0], 0);
    }
    let rough = end / count as f32;
    let power = rough.log10().floor();
    let unit = 10f32.powf(power);
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * unit)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * unit);
    let decimals = (-(step * 1.0001).log10().floor()).max(0.0) as usize;
    let last = (end / step * 1.0001).floor() as usize;
    ((0..=last).map(|index| index as f32 * step).collect(), decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(ticks(512.0, 6), (vec![0.0, 100.0, 200.0, 300.0, 400.0, 500.0], 0));
        assert_eq!(ticks(10.0, 5), (vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0], 0));
        let (values, decimals) = ticks(0.31, 4);
        assert_eq!((values.len(), decimals), (4, 1));
        assert_eq!(ticks(0.0, 5), (vec![0.0], 0));
        assert_eq!(ticks(f32::NAN, 5), (vec![0.0], 0));
    }
}
