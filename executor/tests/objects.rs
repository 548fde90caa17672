//! A folder on object storage, in memory and on the local disk. `.ci/objects` tries a server.
#![cfg(feature = "object-store")]

mod common;

use std::sync::Arc;

use object_store::{ObjectStore, local::LocalFileSystem, memory::InMemory};
use terzetto_executor::{
    BoxError, Options, Topology,
    results::{ExpectedItem, ItemState, MadeWith, ObjectFolder, ObjectResults},
};

use common::{
    executors::{EVERYWHERE, execute_within},
    folder::Folder,
};

/// The two stores, and where the second one keeps its files.
fn stores() -> (Folder, Vec<Arc<dyn ObjectStore>>) {
    let folder = Folder::new();
    let local = LocalFileSystem::new_with_prefix(folder.join("")).expect("the test's own folder");
    (folder, vec![Arc::new(InMemory::new()), Arc::new(local)])
}

fn results(store: &Arc<dyn ObjectStore>, version: &str) -> ObjectResults {
    let folder = |name: &str| ObjectFolder::new(store.clone(), name).expect("a folder");
    ObjectResults::new(folder("series"), folder("out/1"), MadeWith::new(version, "double"))
}

fn expected(n: usize) -> ExpectedItem {
    ExpectedItem {
        item: format!("double_{n}"),
        files: vec![format!("double_{n}.txt")],
        inputs: vec![format!("{n}.txt").into()],
    }
}

/// Doubles the numbers that are not done.
fn topology(results: &Arc<ObjectResults>) -> Result<(Topology, usize), BoxError> {
    let mut missing = Vec::new();
    for name in results.inputs().list()? {
        let item = expected(name.replace(".txt", "").parse()?);
        if results.state(&item)? != ItemState::Done {
            missing.push((item.item, name));
        }
    }
    let count = missing.len();
    let mut topology = Topology::new("double");
    let (names, numbers) = (topology.queue::<String>("names"), topology.queue::<(String, u64)>("numbers"));
    let (reader, writer) = (results.clone(), results.clone());
    topology.source("list", &names, missing);
    topology.io("read", &names).to(&numbers).each(move |_, name| {
        let number = String::from_utf8(reader.inputs().read(&name)?)?.parse()?;
        Ok((name, number))
    });
    topology.io("save", &numbers).each(move |item, (name, number)| {
        let files = vec![(format!("{item}.txt"), (2 * number).to_string().into_bytes())];
        writer.save(item.as_str(), files, &[&name])
    });
    Ok((topology, count))
}

#[test]
fn obj_01_a_series_is_read_from_and_written_to_object_storage() -> Result<(), BoxError> {
    for on in EVERYWHERE {
        let (_folder, stores) = stores();
        for store in stores {
            let results = Arc::new(results(&store, "test 1"));
            for n in 0..12 {
                results.inputs().write(&format!("{n}.txt"), n.to_string().into_bytes())?;
            }
            let (topology_, count) = topology(&results)?;
            assert_eq!((count, execute_within(60.0, topology_, Options::new(), on)?.done), (12, 12));
            assert_eq!(results.folder().list()?.len(), 12);
            assert_eq!(results.folder().read("double_11.txt")?, b"22");
            // Another run has nothing to do, and one result that is gone is made again.
            let again = Arc::new(self::results(&store, "test 1"));
            assert_eq!(topology(&again)?.1, 0);
        }
    }
    Ok(())
}

#[test]
fn obj_02_what_exists_of_an_item_is_told() -> Result<(), BoxError> {
    let (_folder, stores) = stores();
    for store in stores {
        let results = results(&store, "test 1");
        assert_eq!(results.state(&expected(1))?, ItemState::Missing("no result".to_owned()));
        results.inputs().write("1.txt", b"1".to_vec())?;
        let save = |text: &str| {
            results.save("double_1", vec![("double_1.txt".to_owned(), text.as_bytes().to_vec())], &["1.txt"])
        };
        results.folder().write("double_1.txt", b"2".to_vec())?;
        let unknown = results.state(&expected(1))?;
        assert!(matches!(&unknown, ItemState::NotWhole(why) if why.contains("no manifest")), "{unknown:?}");
        save("2")?;
        assert_eq!(results.state(&expected(1))?, ItemState::Done);
        // The same content, written later.
        results.inputs().write("1.txt", b"1".to_vec())?;
        assert_eq!(results.state(&expected(1))?, ItemState::Done);
        results.folder().write("double_1.txt", b"2 and more".to_vec())?;
        let longer = results.state(&expected(1))?;
        assert!(
            matches!(&longer, ItemState::NotWhole(why) if why.contains("has 10 bytes, and 1 were written"))
        );
        save("2")?;
        let other = self::results(&store, "test 2").state(&expected(1))?;
        assert!(matches!(&other, ItemState::MadeOtherwise(what) if what.len() == 1), "{other:?}");
        results.inputs().write("1.txt", b"7".to_vec())?;
        let changed = results.state(&expected(1))?;
        assert_eq!(changed, ItemState::MadeOtherwise(vec!["input `1.txt` has changed since".to_owned()]));
        results.folder().write("manifests/double_1.toml", b"junk".to_vec())?;
        assert_eq!(results.state(&expected(1))?, ItemState::NotWhole("its manifest is broken".to_owned()));
    }
    Ok(())
}

#[test]
fn obj_03_errors_name_the_object() -> Result<(), BoxError> {
    let (_folder, stores) = stores();
    for store in stores {
        let folder = ObjectFolder::new(store.clone(), "a/b")?;
        let error = folder.read("nothing.txt").expect_err("there is none");
        assert!(
            error.is_not_found() && error.to_string().starts_with("cannot read `a/b/nothing.txt`: "),
            "{error}"
        );
        let error = folder.write("../c.txt", Vec::new()).expect_err("no name");
        assert!(
            !error.is_not_found() && error.to_string().starts_with("cannot write `a/b/../c.txt`: "),
            "{error}"
        );
        assert!(ObjectFolder::new(store, "a//b").is_err());
        assert_eq!(folder.list()?, Vec::<String>::new());
    }
    Ok(())
}
