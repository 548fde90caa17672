//! Series of synthetic images whose displacements are known.

use std::path::PathBuf;

use terzetto_executor::{Topology, results::write_atomic};
use terzetto_kernels::{
    encode_png16,
    synth::{Flow, SynthParams, synth_couple},
};

/// What [`synth`] makes, and where it goes.
#[derive(Clone, Debug)]
pub struct SynthSeries {
    /// How many couples.
    pub pairs: usize,
    /// What the images look like.
    pub params: SynthParams,
    /// What moves the particles.
    pub flow: Flow,
    /// The folder for the images, which must exist.
    pub folder: PathBuf,
}

/// The topology that writes `couple_0001a.png`, `couple_0001b.png` and so on. Items that arrive are couples, under the
/// names that the couples of the series will have: `couple_0001a-b`.
pub fn synth(series: SynthSeries) -> Topology {
    let SynthSeries { pairs, params, flow, folder } = series;
    let mut topology = Topology::new("synth");
    let numbers = topology.queue::<(usize, String)>("numbers");
    let files = topology.queue::<[(String, Vec<u8>); 2]>("files");
    topology.one_shot("number couples", (), &numbers, move |(), numbers| {
        // With at least four digits, most series are in order in any listing.
        let digits = pairs.to_string().len().max(4);
        for index in 0..pairs {
            let stem = format!("couple_{:0digits$}", index + 1);
            numbers.push(format!("{stem}a-b"), (index, stem));
        }
        Ok(())
    });
    topology.cpu("make images", &numbers).to(&files).each(move |_, (index, stem)| {
        let (first, second) = synth_couple(&params, &flow, index as u64)?;
        Ok([
            (format!("{stem}a.png"), encode_png16(&first)?),
            (format!("{stem}b.png"), encode_png16(&second)?),
        ])
    });
    topology.io("save", &files).each(move |_, files| {
        for (name, bytes) in files {
            write_atomic(&folder.join(name), &bytes)?;
        }
        Ok(())
    });
    topology
}
