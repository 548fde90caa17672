//! Counts the words of every text file in a folder, and finds the most frequent ones.
//!
//! `cargo run -p terzetto-executor --example words -- FOLDER`
//!
//! Io workers read files while cpu workers count the words of others. A file that cannot be read does not affect the
//! others. Only Ctrl-C is missing for a complete program.
#![allow(clippy::print_stdout, reason = "an example shows something")]

use std::{collections::HashMap, env, fs, path::PathBuf};

use terzetto_executor::{ExecutorAsync, Moment, Options, Topology};

type Counts = HashMap<String, usize>;

fn main() -> Result<(), terzetto::Error> {
    let folder = env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let paths: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_some_and(|ending| ["txt", "md", "rs"].iter().any(|e| ending == *e))
        })
        .collect();

    let mut topology = Topology::new("words");
    let files = topology.queue::<PathBuf>("files");
    let texts = topology.queue::<String>("texts");
    let counts = topology.queue::<Counts>("counts");
    let lengths = topology.results::<usize>("lengths");
    let frequent = topology.results::<Vec<(usize, String)>>("frequent");

    topology.source("list", &files, paths.into_iter().map(|path| (path.display().to_string(), path)));
    topology.io("read", &files).to(&texts).each(|_, path| Ok(fs::read_to_string(path)?));
    topology.cpu("count", &texts).to((&counts, &lengths)).each(|_, text| {
        let mut counts = Counts::new();
        let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 3);
        words.for_each(|word| *counts.entry(word.to_lowercase()).or_default() += 1);
        let length = counts.values().sum();
        Ok((counts, length))
    });
    let mut all = Counts::new();
    topology.global("sum", &counts, &frequent, move |counts, frequent, moment| {
        while let Some((_, file)) = counts.pop() {
            // An error has gone to `lengths`, too, and is reported from there.
            file.into_iter().flatten().for_each(|(word, count)| *all.entry(word).or_default() += count);
        }
        if moment == Moment::End {
            let mut words: Vec<_> = all.drain().map(|(word, count)| (count, word)).collect();
            words.sort_by(|a, b| b.cmp(a));
            words.truncate(10);
            frequent.push("all files", words);
        }
        Ok(())
    });

    let outcome = terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    for (file, length) in lengths.drain() {
        match length {
            Ok(length) => println!("{length:8} words in {file}"),
            Err(error) => println!("{error}"),
        }
    }
    for (_, words) in frequent.drain() {
        words?.iter().for_each(|(count, word)| println!("{count:8} × {word}"));
    }
    println!("in {:.3} s", outcome.elapsed.as_secs_f64());
    Ok(())
}
