//! Where a peak is between the pixels.

/// The offset of the top of a Gaussian through three samples around a peak, in pixels; none if they
/// are no peak (Raffel et al., *Particle Image Velocimetry*: the three-point Gaussian estimator).
pub(crate) fn gaussian(before: f32, peak: f32, after: f32) -> Option<f64> {
    if before <= 0.0 || after <= 0.0 || peak < before || peak < after {
        return None;
    }
    let [before, peak, after] = [before, peak, after].map(|value| f64::from(value).ln());
    let curvature = before + after - 2.0 * peak;
    (curvature < 0.0).then(|| 0.5 * (before - after) / curvature)
}

#[cfg(test)]
mod tests {
    #[test]
    fn exact_on_a_sampled_gaussian() {
        for offset in [-0.5, -0.2, 0.0, 0.3, 0.49] {
            let at = |x: f64| (3.0 * (-(x - offset).powi(2) / 2.4).exp()) as f32;
            let found = super::gaussian(at(-1.0), at(0.0), at(1.0)).unwrap();
            assert!((found - offset).abs() < 1e-5, "{found} for {offset}");
        }
        assert_eq!(super::gaussian(2.0, 1.0, 2.0), None);
        assert_eq!(super::gaussian(-1.0, 1.0, 0.5), None);
    }
}
