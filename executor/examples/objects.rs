//! Inputs and results on object storage: the number of words of each text of a folder, kept in another one.
//!
//! ```text
//! objects URL        such as s3://bucket/run, with the variables AWS_ENDPOINT, AWS_ACCESS_KEY_ID, …
//! ```
//!
//! Clouds are features of the crate `object_store`: `cargo run --example objects --features
//! object-store,object_store/aws -- s3://bucket/run`. `.ci/objects` runs it against a server on this machine.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use object_store::{ObjectStore, parse_url_opts};
use terzetto_executor::{
    BoxError, ExecutorAsync, Options, Topology,
    results::{ExpectedItem, ItemState, MadeWith, ObjectFolder, ObjectResults},
};

const TEXTS: usize = 20;

fn main() -> Result<(), BoxError> {
    let url = std::env::args().nth(1).ok_or("which folder? Such as s3://bucket/run")?;
    // `AWS_ENDPOINT` becomes `aws_endpoint`, as the store wants it.
    let options = std::env::vars().map(|(name, value)| (name.to_lowercase(), value));
    let (store, folder) = parse_url_opts(&url.parse()?, options)?;
    let store: Arc<dyn ObjectStore> = store.into();
    let within = |name: &str| ObjectFolder::new(store.clone(), &format!("{folder}/{name}"));
    let inputs = within("texts")?;
    if inputs.list()?.is_empty() {
        for n in 1..=TEXTS {
            inputs.write(&format!("text_{n:02}.txt"), "word ".repeat(n).into_bytes())?;
        }
    }
    let names = inputs.list()?;
    let results =
        Arc::new(ObjectResults::new(inputs, within("counts")?, MadeWith::new("objects 1", "count words")));

    let mut missing = Vec::new();
    for name in names {
        let item = name.replace(".txt", "");
        let expected = ExpectedItem {
            files: vec![format!("{item}.count")],
            inputs: vec![name.clone().into()],
            item: item.clone(),
        };
        if results.state(&expected)? != ItemState::Done {
            missing.push((item, name));
        }
    }
    let mut topology = Topology::new("count words");
    let (paths, texts) = (topology.queue::<String>("paths"), topology.queue::<(String, Vec<u8>)>("texts"));
    let counts = topology.queue::<(String, usize)>("counts");
    let (reader, writer) = (results.clone(), results.clone());
    topology.source("list", &paths, missing);
    topology.io("read", &paths).to(&texts).each(move |_, name| {
        let text = reader.inputs().read(&name)?;
        Ok((name, text))
    });
    topology.cpu("count", &texts).to(&counts).each(|_, (name, text)| {
        let count = String::from_utf8(text)?.split_whitespace().count();
        Ok((name, count))
    });
    topology.io("save", &counts).each(move |item, (name, count)| {
        writer.save(item.as_str(), vec![(format!("{item}.count"), count.to_string().into_bytes())], &[&name])
    });
    let outcome = terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    println!(
        "{} counted, {} failed, {} results",
        outcome.done,
        outcome.failed_count,
        results.folder().list()?.len()
    );
    for (key, error) in &outcome.failed {
        println!("{key}: {error}");
    }
    if outcome.is_complete() { Ok(()) } else { Err("some texts were not counted".into()) }
}
