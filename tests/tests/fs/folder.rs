//! FILE-01: folders, names, metadata.

use super::in_a_folder;
use std::{collections::BTreeSet, io::ErrorKind, os::unix::fs::PermissionsExt};
use terzetto::{CancelScope, fs, nursery, testing::assert_checkpoints};

#[test]
fn file_01_looking_through_a_folder() {
    in_a_folder(async |dir| {
        // Several batches.
        let names: BTreeSet<String> = (0..300).map(|i| format!("entry {i}")).collect();
        nursery(async |n| {
            for name in &names {
                n.start_soon(async move { Ok(dir.path().join(name).write(&**name).await?) });
            }
            Ok(())
        })
        .await?;
        dir.path().join("folder").create_dir().await?;
        let mut seen = BTreeSet::new();
        let mut entries = assert_checkpoints(fs::read_dir(dir.path())).await?;
        while let Some(entry) = assert_checkpoints(entries.next()).await? {
            let name = entry.file_name().to_str().unwrap().to_owned();
            assert_eq!(entry.path(), dir.path().join(&name));
            assert_eq!(entry.file_type()?.is_dir(), name == "folder");
            if name == "entry 7" {
                assert_eq!(entry.metadata().await?.len(), 7);
            }
            assert!(seen.insert(name), "each once");
        }
        assert!(entries.next().await?.is_none());
        assert!(seen.remove("folder") && seen == names);
        let error = fs::read_dir(dir.path().join("none")).await.unwrap_err();
        assert!(error.kind() == Some(ErrorKind::NotFound) && error.to_string().contains("none"));
        Ok(())
    });
}

#[test]
fn file_01_a_cancelled_entry_is_not_lost() {
    in_a_folder(async |dir| {
        for i in 0..10 {
            dir.path().join(i.to_string()).write("").await?;
        }
        let mut entries = dir.path().read_dir().await?;
        let mut count = 0;
        for i in 0.. {
            let scope = CancelScope::new();
            if i % 2 == 0 {
                scope.cancel();
            }
            match scope.run(async { Ok(entries.next().await?) }).await? {
                Some(Some(_)) => count += 1,
                Some(None) => break,
                None => {}
            }
        }
        assert_eq!(count, 10);
        Ok(())
    });
}

#[test]
fn file_01_making_copying_moving_linking_removing() {
    in_a_folder(async |dir| {
        let root = dir.path();
        assert_eq!(fs::create_dir(root / "a" / "b").await.unwrap_err().kind(), Some(ErrorKind::NotFound));
        fs::create_dir_all(root / "a" / "b").await?;
        fs::create_dir_all(root / "a" / "b").await?;
        let original = root / "a" / "original";
        fs::write(&original, "text").await?;
        assert_eq!(fs::copy(&original, root / "copy").await?, 4);
        fs::hard_link(&original, root / "hard").await?;
        fs::symlink(&original, root / "soft").await?;
        fs::rename(&original, root / "moved").await?;
        assert!(!fs::try_exists(&original).await?);
        assert_eq!(fs::read_to_string(root / "hard").await?, "text");
        assert_eq!(fs::read_link(root / "soft").await?, original.as_std());
        assert!(fs::symlink_metadata(root / "soft").await?.is_symlink());
        assert_eq!(fs::metadata(root / "soft").await.unwrap_err().kind(), Some(ErrorKind::NotFound));
        let there = fs::canonicalize(root / "a" / ".." / "moved").await?;
        assert_eq!(there, fs::canonicalize(root / "moved").await?);
        fs::set_permissions(root / "copy", PermissionsExt::from_mode(0o400)).await?;
        assert_eq!(fs::metadata(root / "copy").await?.permissions().mode() & 0o777, 0o400);
        fs::remove_file(root / "moved").await?;
        fs::remove_dir(root / "a" / "b").await?;
        assert!(fs::remove_dir(root).await.is_err(), "not empty");
        fs::create_dir_all(root / "a" / "deep" / "deeper").await?;
        fs::remove_dir_all(root / "a").await?;
        assert!(!fs::try_exists(root / "a").await?);
        Ok(())
    });
}
