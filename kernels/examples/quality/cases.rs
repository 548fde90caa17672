//! What is varied, and the images of each case.

use super::Fallible;
use terzetto_kernels::{Flow, Image, SynthParams, synth_couple};

/// Couples a case: above a thousand vectors.
pub const COUPLES: u64 = 2;

/// What is varied in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Along x, px.
    Displacement,
    /// Of particles, px.
    Diameter,
    /// Particles per pixel.
    Density,
    /// Standard deviation, counts; the brightest particle has 20 000.
    Noise,
    /// Change of the displacement along x over y, px per px.
    Shear,
}

pub const TABLES: [Table; 5] =
    [Table::Displacement, Table::Diameter, Table::Density, Table::Noise, Table::Shear];

impl Table {
    pub fn name(self) -> &'static str {
        match self {
            Table::Displacement => "displacement",
            Table::Diameter => "diameter",
            Table::Density => "density",
            Table::Noise => "noise",
            Table::Shear => "shear",
        }
    }

    pub fn named(name: &str) -> Fallible<Table> {
        let found = TABLES.into_iter().find(|table| table.name() == name);
        found.ok_or_else(|| format!("no table `{name}`").into())
    }

    pub fn values(self) -> Vec<f64> {
        match self {
            Table::Displacement => {
                let fine = (0..=40).map(|index| f64::from(index) / 20.0);
                fine.chain([3.3, 4.0, 5.5, 7.0, 9.25, 12.0]).collect()
            }
            Table::Diameter => vec![1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0],
            Table::Density => vec![0.004, 0.006, 0.008, 0.012, 0.016, 0.03, 0.06, 0.1],
            Table::Noise => vec![0.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0],
            Table::Shear => vec![0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15],
        }
    }

    /// The case of a value: everything else is as in [`scene`].
    pub fn case(self, value: f64) -> Case {
        let uniform = |dx: f64| Flow::Uniform { dx, dy: 0.3 };
        // Between pixels, where it is neither best nor worst.
        let usual = uniform(2.3);
        let (scene, flow) = match self {
            Table::Displacement => (scene(), uniform(value)),
            Table::Diameter => (SynthParams { particle_diameter: value, ..scene() }, usual),
            Table::Density => (SynthParams { density: value, ..scene() }, usual),
            Table::Noise => (SynthParams { noise: value, ..scene() }, usual),
            Table::Shear => {
                let scene = SynthParams { height: 160, ..scene() };
                (scene, Flow::Shear { dx: -value * 80.0, rate: value })
            }
        };
        Case { scene, flow }
    }
}

/// The scene that the literature takes for good: 30 particles a window of 32 px, 2.5 px wide, little noise.
pub fn scene() -> SynthParams {
    SynthParams { density: 0.03, particle_diameter: 2.5, noise: 100.0, ..SynthParams::default() }
}

/// A scene and how it moves.
pub struct Case {
    pub scene: SynthParams,
    pub flow: Flow,
}

impl Case {
    /// A couple in whole counts, so that a file of 16 bits holds the same.
    pub fn couple(&self, index: u64) -> Fallible<[Image; 2]> {
        let (first, second) = synth_couple(&self.scene, &self.flow, index)?;
        let counts =
            |image: Image| Image::from_fn(image.width(), image.height(), |x, y| image.row(y)[x].round());
        Ok([counts(first), counts(second)])
    }
}
