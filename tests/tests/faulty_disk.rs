//! DISK: files on a disk that fails, and what a crash leaves.

use std::{cell::RefCell, collections::HashSet, error::Error as StdError, io::ErrorKind, path::Path};
use terzetto::{
    Builder, Error, current_time, fs, nursery,
    testing::{Explore, MockClock, files::FaultyDisk},
};

type Tested = Result<(), Box<dyn StdError>>;

/// The kind of the system's error.
fn kind(error: &Error) -> Option<ErrorKind> {
    error.downcast_ref::<fs::FileError>()?.kind()
}

#[test]
fn disk_01_one_operation_fails_with_its_file_and_the_next_works() -> Tested {
    let folder = tempfile::tempdir()?;
    let disk = FaultyDisk::new(folder.path(), 0)?;
    disk.fail_at(2);
    terzetto::run(async {
        disk.install()?;
        let path = folder.path().join("file");
        fs::write(&path, "one").await?;
        let error = fs::read(&path).await.unwrap_err();
        assert!(
            error.to_string().contains("cannot read") && error.to_string().contains("simulated"),
            "{error}"
        );
        assert_eq!(fs::read(&path).await?, b"one");
        Ok(())
    })?;
    assert_eq!((disk.report().operations, disk.report().errors), (3, 1));
    Ok(())
}

#[test]
fn disk_02_a_write_that_fails_has_written_the_beginning() -> Tested {
    let mut lengths = HashSet::new();
    for seed in 0..50 {
        let folder = tempfile::tempdir()?;
        let disk = FaultyDisk::new(folder.path(), seed)?;
        disk.fail_at(2);
        let path = folder.path().join("file");
        let outcome = terzetto::run(async {
            disk.install()?;
            let file = fs::File::create(&path).await?;
            let first = file.write_all("0123456789").await;
            assert!(first.is_err());
            Ok(file.close().await?)
        });
        outcome?;
        let found = std::fs::read_to_string(&path)?;
        assert!("0123456789".starts_with(&found), "{found}");
        lengths.insert(found.len());
    }
    assert!(lengths.len() > 5, "{lengths:?}");
    Ok(())
}

#[test]
fn disk_03_a_full_disk_takes_what_fits_and_goes_on_when_there_is_room() -> Tested {
    let folder = tempfile::tempdir()?;
    let disk = FaultyDisk::new(folder.path(), 0)?;
    disk.set_capacity(Some(15));
    terzetto::run(async {
        disk.install()?;
        fs::write(folder.path().join("first"), "0123456789").await?;
        let error = Error::from(fs::write(folder.path().join("second"), "0123456789").await.unwrap_err());
        assert_eq!(kind(&error), Some(ErrorKind::StorageFull), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("second")).await?, "01234");
        fs::remove_file(folder.path().join("first")).await?;
        fs::write(folder.path().join("second"), "0123456789").await?;
        Ok(())
    })?;
    assert_eq!((disk.report().full, disk.report().torn_writes, disk.report().errors), (1, 1, 0));
    Ok(())
}

#[test]
fn disk_04_latency_passes_on_the_clock_of_the_run() -> Tested {
    let folder = tempfile::tempdir()?;
    let disk = FaultyDisk::new(folder.path(), 0)?;
    disk.set_latency(2.0..=2.0);
    Builder::new().clock(MockClock::autojump()).run(async {
        disk.install()?;
        let began = current_time();
        fs::write(folder.path().join("file"), "x").await?;
        fs::read(folder.path().join("file")).await?;
        assert_eq!(current_time() - began, 4.0);
        Ok(())
    })?;
    Ok(())
}

#[test]
fn disk_05_what_is_synced_survives_and_the_rest_may_be_lost_kept_or_cut() -> Tested {
    let mut found = HashSet::new();
    for seed in 0..60 {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log");
        std::fs::write(&path, "")?;
        let disk = FaultyDisk::new(folder.path(), seed)?;
        terzetto::run(async {
            disk.install()?;
            let log = fs::OpenOptions::new().append(true).open(&path).await?;
            log.write_all("synced;").await?;
            log.sync_all().await?;
            log.write_all("written").await?;
            Ok(log.close().await?)
        })?;
        disk.crash()?;
        let left = std::fs::read_to_string(&path)?;
        let rest = left.strip_prefix("synced;").expect("what is synced is there");
        assert!("written".starts_with(rest), "{left}");
        found.insert(rest.len());
    }
    assert!(found.contains(&0) && found.contains(&7) && found.len() > 3, "{found:?}");
    Ok(())
}

/// Replaces a file under power cuts after each operation. Returns what was found in the file after the crashes.
fn replace_under_power_cuts(syncs: bool) -> Result<HashSet<String>, Box<dyn StdError>> {
    let mut found = HashSet::new();
    for seed in 0..20 {
        for operations in 0.. {
            let folder = tempfile::tempdir()?;
            let (path, new) = (folder.path().join("account"), folder.path().join("new"));
            std::fs::write(&path, "old")?;
            let disk = FaultyDisk::new(folder.path(), seed)?;
            disk.cut_power_after(operations);
            let outcome = terzetto::run(async {
                disk.install()?;
                let file = fs::File::create(&new).await?;
                file.write_all("new").await?;
                if syncs {
                    file.sync_all().await?;
                }
                file.close().await?;
                fs::rename(&new, &path).await?;
                Ok(fs::File::open(folder.path()).await?.sync_all().await?)
            });
            disk.crash()?;
            let left = std::fs::read_to_string(&path)?;
            assert!(outcome.is_err() || !syncs || left == "new", "said to be done, and lost: {left}");
            found.insert(left);
            if outcome.is_ok() {
                break;
            }
            assert!(disk.report().errors > 0);
        }
    }
    Ok(found)
}

#[test]
fn disk_06_a_rename_before_the_sync_of_its_data_is_found_and_the_right_order_is_safe() -> Tested {
    let right = replace_under_power_cuts(true)?;
    assert_eq!(right, HashSet::from(["old".to_owned(), "new".to_owned()]));
    let wrong = replace_under_power_cuts(false)?;
    assert!(wrong.contains(""), "an empty file: {wrong:?}");
    Ok(())
}

#[test]
fn disk_07_one_seed_is_one_run_also_with_several_tasks() -> Tested {
    let trace = |seed: u64| -> Result<_, Box<dyn StdError>> {
        let (folder, traces) = (tempfile::tempdir()?, RefCell::new(Vec::new()));
        Explore::new(async || {
            let disk = FaultyDisk::new(folder.path(), seed)?;
            disk.set_error_rate(0.3);
            disk.set_latency(0.0..=0.01);
            disk.install()?;
            nursery(async |n| {
                for number in 0..4 {
                    let path = folder.path().join(format!("file{number}"));
                    n.start_soon(async move {
                        // It may fail.
                        let _written = fs::write(&path, "0123456789").await;
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
            let contents: Vec<_> =
                (0..4).map(|n| std::fs::read(folder.path().join(format!("file{n}"))).ok()).collect();
            traces.borrow_mut().push((disk.report(), contents));
            for n in 0..4 {
                let _gone = std::fs::remove_file(folder.path().join(format!("file{n}")));
            }
            Ok(())
        })
        .schedules(20)
        .run();
        Ok(traces.take())
    };
    assert_eq!(trace(1)?, trace(1)?);
    assert!(trace(1)? != trace(2)?);
    Ok(())
}

#[test]
fn disk_08_other_folders_are_not_touched_and_a_run_has_one_disk() -> Tested {
    let (folder, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let disk = FaultyDisk::new(folder.path(), 0)?;
    disk.set_error_rate(1.0);
    disk.set_capacity(Some(0));
    terzetto::run(async {
        disk.install()?;
        fs::write(other.path().join("file"), "x").await?;
        disk.install()?; // the same one
        let second = FaultyDisk::new(other.path(), 0)?;
        assert!(second.install().unwrap_err().to_string().contains("only one"));
        Ok(())
    })?;
    assert_eq!(disk.report().operations, 0);
    std::os::unix::fs::symlink("nowhere", folder.path().join("link"))?;
    let refused = FaultyDisk::new(folder.path(), 0).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(FaultyDisk::new(Path::new("/does/not/exist"), 0).is_err());
    Ok(())
}

#[test]
fn disk_09_names_that_are_not_synced_survive_together_or_not_at_all() -> Tested {
    let mut found = HashSet::new();
    for seed in 0..30 {
        let folder = tempfile::tempdir()?;
        let disk = FaultyDisk::new(folder.path(), seed)?;
        terzetto::run(async {
            disk.install()?;
            fs::create_dir(folder.path().join("part")).await?;
            fs::write(folder.path().join("part/inside"), "x").await?;
            Ok(fs::write(folder.path().join("beside"), "x").await?)
        })?;
        disk.crash()?;
        let exists = |name: &str| folder.path().join(name).exists();
        found.insert((exists("part/inside"), exists("beside")));
    }
    assert_eq!(found, HashSet::from([(true, true), (false, false)]));
    Ok(())
}
