//! Computes a couple of images and writes the result as NetCDF.
//!
//! `cargo run -p terzetto-kernels --example netcdf FIRST SECOND FILE.nc`; without arguments, a vortex is made up
//! and written to `vortex.nc` in the folder for temporary files.
// A program's answers go to standard output.
#![allow(clippy::print_stdout)]

use std::{error::Error, path::Path};
use terzetto_kernels::{
    Flow, MultipassParams, MultipassPlan, SynthParams,
    output::{Description, encode},
    read_image, synth_couple,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (images, first, second, file) = match &arguments[..] {
        [first, second, file] => (
            [first.clone(), second.clone()],
            read_image(Path::new(first))?,
            read_image(Path::new(second))?,
            file.into(),
        ),
        [] => {
            let flow = Flow::Vortex { x: 200.0, y: 250.0, peak: 6.0, radius: 80.0 };
            let (first, second) = synth_couple(&SynthParams::default(), &flow, 0)?;
            (
                ["vortex a", "vortex b"].map(String::from),
                first,
                second,
                std::env::temp_dir().join("vortex.nc"),
            )
        }
        _ => return Err("usage: netcdf [FIRST SECOND FILE.nc]".into()),
    };
    let params = MultipassParams::zoom(32, 2);
    let result = MultipassPlan::new(&params, first.width(), first.height())?.compute(&first, &second)?;
    let parameters = format!("{params:?}");
    let description = Description { couple: "1-2".to_owned(), images, parameters, scale: None };
    std::fs::write(&file, encode(&result, &params, &description)?)?;
    println!("{}", file.display());
    Ok(())
}
