//! What is told of the same figure from several rounds.

/// Quartiles: of few rounds on a machine that does other things, they say more than a mean.
#[derive(Debug, Clone, Copy)]
pub struct Quartiles {
    /// A quarter is lower.
    pub lower: f64,
    /// Half is lower.
    pub median: f64,
    /// A quarter is higher.
    pub upper: f64,
}

impl Quartiles {
    /// Those of some values; not numbers, if there are none.
    pub fn of(values: &[f64]) -> Quartiles {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part| interpolated(&sorted, part);
        Quartiles { lower: at(0.25), median: at(0.5), upper: at(0.75) }
    }

    /// Half the distance of the quartiles, as a part of the median.
    pub fn spread(&self) -> f64 {
        (self.upper - self.lower) / 2.0 / self.median
    }
}

fn interpolated(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = part * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::Quartiles;

    #[test]
    fn quartiles_of_five() {
        let quartiles = Quartiles::of(&[5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!((quartiles.lower, quartiles.median, quartiles.upper), (2.0, 3.0, 4.0));
        assert!((quartiles.spread() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn quartiles_between_values() {
        let quartiles = Quartiles::of(&[1.0, 2.0]);
        assert_eq!((quartiles.lower, quartiles.median, quartiles.upper), (1.25, 1.5, 1.75));
    }

    #[test]
    fn quartiles_of_nothing() {
        assert!(Quartiles::of(&[]).median.is_nan());
    }
}
