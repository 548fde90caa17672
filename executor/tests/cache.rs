//! A cache of results, addressed by what they are made of.

mod common;

use std::{
    fs::{self, File},
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, SystemTime},
};

use terzetto_executor::{
    BoxError,
    results::{Cache, CacheKey},
};

use common::Folder;

fn key(text: &str) -> CacheKey {
    CacheKey::new("test 1", "work").with_bytes("text", text.as_bytes())
}

/// The files of the entries.
fn entries(folder: &Folder) -> Vec<PathBuf> {
    let list =
        |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    list(folder.join("cache")).flat_map(list).collect()
}

#[test]
fn cache_01_what_was_made_once_is_not_made_again() -> Result<(), BoxError> {
    let folder = Folder::new();
    let made = AtomicUsize::new(0);
    for round in 0..3 {
        // Another run opens it anew.
        let cache = Cache::new(folder.join("cache"));
        for text in ["a", "b", "a"] {
            let make = || {
                made.fetch_add(1, SeqCst);
                Ok(text.repeat(3).into_bytes())
            };
            assert_eq!(cache.get_or_make(&key(text), make)?, text.repeat(3).into_bytes());
        }
        assert_eq!((cache.hits(), cache.misses()), if round == 0 { (1, 2) } else { (3, 0) });
    }
    assert_eq!(made.load(SeqCst), 2);
    // An error is not kept.
    let cache = Cache::new(folder.join("cache"));
    assert!(cache.get_or_make(&key("c"), || Err("no".into())).is_err());
    assert_eq!(
        cache.get_or_make(&key("c"), || Ok(Vec::new()))?,
        Vec::<u8>::new(),
        "an empty result is one, too"
    );
    assert_eq!(cache.get(&key("c")), Some(Vec::new()));
    Ok(())
}

#[test]
fn cache_02_everything_that_goes_into_a_key_counts() -> Result<(), BoxError> {
    let folder = Folder::new();
    let file = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("the test's own folder");
        folder.join(name)
    };
    let base = || CacheKey::new("program 1", "work");
    let keys = [
        base(),
        CacheKey::new("program 2", "work"),
        CacheKey::new("program 1", "other"),
        base().with("window", &3)?,
        base().with("window", &5)?,
        base().with("step", &3)?,
        base().with("window", &"3")?,
        base().with_bytes("a", b"bc"),
        base().with_bytes("ab", b"c"),
        base().with_bytes("a", b"b").with_bytes("c", b"d"),
        base().with_bytes("c", b"d").with_bytes("a", b"b"),
        base().with_file("image", &file("one", "1"))?,
        base().with_file("image", &file("two", "2"))?,
    ];
    let names: std::collections::BTreeSet<String> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), keys.len());
    // The name of a file and its time do not count.
    let again = base().with_file("image", &file("three", "1"))?;
    assert_eq!(again.to_string(), keys[11].to_string());
    assert!(base().with_file("image", &folder.join("missing")).is_err());
    Ok(())
}

#[test]
fn cache_03_a_damaged_entry_is_made_again() -> Result<(), BoxError> {
    let folder = Folder::new();
    let cache = Cache::new(folder.join("cache"));
    let whole = b"a result of some length";
    for damage in [&b""[..], b"junk", &whole[..10], &[whole, &[0; 32][..]].concat()] {
        cache.put(&key("a"), whole)?;
        fs::write(&entries(&folder)[0], damage)?;
        assert_eq!(cache.get(&key("a")), None, "{damage:?}");
        assert_eq!(cache.get_or_make(&key("a"), || Ok(whole.to_vec()))?, whole);
        assert_eq!(cache.get(&key("a")).as_deref(), Some(&whole[..]));
    }
    Ok(())
}

#[test]
fn cache_04_what_was_not_used_for_the_longest_time_is_removed_first() -> Result<(), BoxError> {
    let folder = Folder::new();
    let cache = Cache::new(folder.join("cache"));
    assert_eq!(cache.trim(0)?, 0, "there is no folder yet");
    for text in ["a", "b", "c"] {
        cache.put(&key(text), &[0; 1000])?;
    }
    for path in entries(&folder) {
        File::options()
            .append(true)
            .open(path)?
            .set_modified(SystemTime::now() - Duration::from_secs(3600))?;
    }
    assert!(cache.get(&key("b")).is_some(), "it is used now");
    let left = cache.trim(1500)?;
    assert!((1000..1500).contains(&left), "{left}");
    assert!(
        cache.get(&key("b")).is_some() && cache.get(&key("a")).is_none() && cache.get(&key("c")).is_none()
    );
    Ok(())
}

#[test]
fn cache_05_many_threads_share_it() {
    let folder = Folder::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let cache = Cache::new(folder.join("cache"));
                for n in 0..100 {
                    let text = (n % 10).to_string();
                    let made = cache.get_or_make(&key(&text), || Ok(text.repeat(1000).into_bytes()));
                    assert_eq!(made.expect("it can be made"), text.repeat(1000).into_bytes());
                }
            });
        }
    });
    assert_eq!(entries(&folder).len(), 10);
}

#[test]
fn cache_06_a_cache_that_cannot_be_written_does_not_fail_the_work() -> Result<(), BoxError> {
    let folder = Folder::new();
    fs::write(folder.join("cache"), "a file in its place")?;
    let cache = Cache::new(folder.join("cache"));
    assert_eq!(cache.get_or_make(&key("a"), || Ok(vec![1]))?, [1]);
    assert!(cache.put(&key("a"), &[1]).is_err());
    Ok(())
}
