//! A camera with a known distortion: what a target says of it, and what is left of it in dewarped images.

use terzetto_kernels::{
    Image, MultipassParams, MultipassPlan,
    calibration::{Calibration, CalibrationError},
};

const SIZE: (usize, usize) = (400, 320);
/// Pixels between two dots in the middle of the image, and what they are in metres.
const DISTANCE: f64 = 24.0;
const SPACING: f64 = 2e-3;

/// Where a place of the plane is seen, in pixels from the middle: turned, in perspective, and bent by the lens.
fn seen([x, y]: [f64; 2]) -> [f64; 2] {
    let (x, y) = (x * 0.999 - y * 0.03, y * 0.999 + x * 0.03);
    let (x, y) = (x * (1.0 + 1.5e-4 * x), y * (1.0 + 1.5e-4 * x));
    let bent = 1.0 - 6e-7 * (x * x + y * y);
    [200.3 + x * bent, 159.6 + y * bent]
}

/// The place of the plane that is seen at a pixel.
fn place_of(pixel: [f64; 2]) -> [f64; 2] {
    let mut place = [pixel[0] - 200.0, pixel[1] - 160.0];
    for _ in 0..30 {
        let found = seen(place);
        place = [place[0] + pixel[0] - found[0], place[1] + pixel[1] - found[1]];
    }
    place
}

/// What a camera sees of a plane, with soft edges.
fn photograph(plane: impl Fn([f64; 2]) -> f64) -> Image {
    Image::from_fn(SIZE.0, SIZE.1, |x, y| {
        let part = |i: i32| f64::from(i) / 3.0;
        let parts = (-1..=1).flat_map(|i| (-1..=1).map(move |j| (part(i), part(j))));
        let sum: f64 = parts.map(|(i, j)| plane(place_of([x as f64 + i, y as f64 + j]))).sum();
        (sum / 9.0) as f32
    })
}

fn target(dark: bool) -> Image {
    photograph(|[x, y]| {
        let from = |at: f64| (at + DISTANCE / 2.0).rem_euclid(DISTANCE) - DISTANCE / 2.0;
        let inside = from(x).hypot(from(y)) < 5.0;
        if inside != dark { 220.0 } else { 30.0 }
    })
}

#[test]
fn piv_calibration_knows_where_a_distorted_camera_sees_each_place() {
    for dark in [false, true] {
        let calibration = Calibration::of_target(&target(dark), SPACING).expect("a target");
        assert!(calibration.dots() > 150, "{}", calibration.dots());
        assert!(calibration.residual() < 0.1, "{} px", calibration.residual());
        let pixel = SPACING / DISTANCE;
        assert!((calibration.pixel_size() / pixel - 1.0).abs() < 2e-3, "{}", calibration.pixel_size());
        for (x, y) in [(0.0, 0.0), (100.0, 60.0), (-150.0, 110.0), (160.0, -120.0)] {
            let [column, row] = calibration.to_pixel([x * pixel, y * pixel]);
            let wanted = seen([x, y]);
            let error = (column - wanted[0]).hypot(row - wanted[1]);
            assert!(error < 0.1, "({x}, {y}): {error} px");
        }
    }
}

#[test]
fn piv_calibration_makes_a_uniform_motion_uniform_again() {
    // Particles in the plane, which all move by 4 px to the right: a distorted camera sees them move by more or less.
    let mut rng = fastrand::Rng::with_seed(8);
    let particles: Vec<[f64; 2]> =
        (0..4000).map(|_| [400.0 * (rng.f64() - 0.5) * 1.2, 320.0 * (rng.f64() - 0.5) * 1.2]).collect();
    let image = |shift: f64| {
        let mut image = Image::from_fn(SIZE.0, SIZE.1, |_, _| 10.0);
        for [x, y] in &particles {
            let [column, row] = seen([x + shift, *y]);
            for j in row as isize - 4..=row as isize + 4 {
                for i in column as isize - 4..=column as isize + 4 {
                    if (0..SIZE.0 as isize).contains(&i) && (0..SIZE.1 as isize).contains(&j) {
                        let square = (i as f64 - column).powi(2) + (j as f64 - row).powi(2);
                        image.data_mut()[j as usize * SIZE.0 + i as usize] +=
                            (200.0 * (-square / 1.3).exp()) as f32;
                    }
                }
            }
        }
        image
    };
    let couple = [image(-2.0), image(2.0)];
    let calibration = Calibration::of_target(&target(false), SPACING).expect("a target");
    let mut plan = MultipassPlan::new(&MultipassParams::zoom(64, 2), SIZE.0, SIZE.1).expect("a plan");
    let mut spread = |couple: &[Image; 2]| {
        let field = plan.compute(&couple[0], &couple[1]).expect("a field").passes.pop().expect("a pass");
        let inside = |at: f64, size: usize| (32.0..size as f64 - 32.0).contains(&at);
        let errors = field.vectors.iter().filter(|vector| vector.flags.is_valid());
        let errors = errors.filter(|vector| inside(vector.x, SIZE.0) && inside(vector.y, SIZE.1));
        let errors: Vec<f64> = errors.map(|vector| (vector.dx - 4.0).hypot(vector.dy)).collect();
        assert!(errors.len() > 200);
        (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt()
    };
    let raw = spread(&couple);
    let dewarped = spread(&couple.each_ref().map(|image| calibration.dewarp(image)));
    println!("root mean square error: {raw:.3} px as seen, {dewarped:.3} px dewarped");
    assert!(raw > 0.15 && dewarped < 0.07, "{raw} {dewarped}");
}

#[test]
fn piv_calibration_refuses_what_is_no_target() {
    let noise = {
        let mut rng = fastrand::Rng::with_seed(1);
        Image::from_fn(100, 80, |_, _| rng.f32())
    };
    for image in [noise, Image::from_fn(100, 80, |_, _| 7.0)] {
        let error = Calibration::of_target(&image, SPACING).expect_err("no target");
        assert!(matches!(error, CalibrationError::Dots { .. }), "{error}");
    }
    assert!(matches!(Calibration::of_target(&target(false), 0.0), Err(CalibrationError::Spacing { .. })));
}
