//! How far vectors are from the truth along x, by one rule for every program.

use super::{BORDER, cases::Case};

/// A vector farther off than this is lost: it counts in the share of lost ones only, px.
const LOST: f64 = 1.0;

/// The errors of many vectors.
#[derive(Default)]
pub struct Errors {
    count: f64,
    sum: f64,
    squares: f64,
    total: f64,
}

impl Errors {
    /// Adds a vector at a place with a displacement along x.
    pub fn add(&mut self, case: &Case, (x, y): (f64, f64), dx: f64) {
        let inside = |at: f64, size: usize| (BORDER..size as f64 - BORDER).contains(&at);
        if !inside(x, case.scene.width) || !inside(y, case.scene.height) {
            return;
        }
        let error = dx - case.flow.displacement(x, y).0;
        self.total += 1.0;
        if error.abs() <= LOST {
            self.count += 1.0;
            self.sum += error;
            self.squares += error * error;
        }
    }

    /// The mean error.
    pub fn bias(&self) -> f64 {
        self.sum / self.count
    }

    /// The standard deviation of the error.
    pub fn random(&self) -> f64 {
        (self.squares / self.count - self.bias().powi(2)).max(0.0).sqrt()
    }

    /// The share of vectors that are missing or a pixel off.
    pub fn lost(&self) -> f64 {
        1.0 - self.count / self.total
    }
}
