//! FILE-01: temporary files and folders.

use super::in_a_folder;
use std::{io::SeekFrom, os::unix::fs::PermissionsExt};
use terzetto::{
    CancelScope,
    fs::{self, Path, TempDir, TempFile},
    testing::assert_checkpoints,
    to_thread,
};

#[test]
fn file_01_a_temporary_folder_goes_when_it_is_dropped_closed_or_its_run_ends() {
    let left = terzetto::run(async {
        let dropped = TempDir::new().await?;
        let path = dropped.path().clone();
        (&path / "a" / "b").create_dir_all().await?;
        (&path / "a" / "f").write("x").await?;
        drop(dropped);
        // It goes in a thread.
        while path.try_exists().await? {
            to_thread::wait_all_threads_completed().await?;
        }
        let closed = assert_checkpoints(TempDir::new_in(std::env::temp_dir())).await?;
        let path = closed.path().clone();
        assert!(path.is_dir().await?);
        assert_checkpoints(closed.close()).await?;
        assert!(!path.try_exists().await?);

        let kept = TempDir::new().await?.keep();
        assert!(kept.is_dir().await?);
        kept.remove_dir().await?;
        // At the very end there is no time for a thread, and after the run there are none.
        Ok([TempDir::new().await?, TempDir::new().await?])
    });
    let [one, two] = left.unwrap();
    let paths = [one.path().clone(), two.path().clone()];
    drop((one, two));
    assert!(paths.iter().all(|path| !path.as_std().exists()));

    let path = terzetto::run(async {
        let dir = TempDir::new().await?;
        Ok(dir.path().clone())
    });
    assert!(!path.unwrap().as_std().exists());
}

#[test]
fn file_01_a_temporary_file_replaces_another_in_one_step_or_goes() {
    in_a_folder(async |dir| {
        let report = dir.path().join("report");
        report.write("old").await?;
        let new = TempFile::new_in(dir.path()).await?;
        let name = new.path().clone();
        assert_eq!(name.metadata().await?.permissions().mode() & 0o777, 0o600);
        new.file().write_all("new").await?;
        assert_eq!(report.read_to_string().await?, "old");
        let file = assert_checkpoints(new.persist(&report)).await?;
        assert_eq!((report.read_to_string().await?, file.path()), ("new".into(), report.as_std()));
        assert!(!name.try_exists().await?);
        file.seek(SeekFrom::Start(0)).await?;
        assert_eq!(file.read_to_string().await?, "new");

        let failing = TempFile::new_in(dir.path()).await?;
        let name = failing.path().clone();
        let error = failing.persist("/no/such/folder/f").await.unwrap_err();
        assert!(error.to_string().contains("/no/such/folder/f"), "{error}");
        assert!(!name.try_exists().await?);

        let closed = TempFile::new().await?;
        let name = closed.path().clone();
        assert_checkpoints(closed.close()).await?;
        assert!(!name.try_exists().await?);

        let dropped = TempFile::new().await?;
        let name = dropped.path().clone();
        drop(dropped);
        while name.try_exists().await? {
            to_thread::wait_all_threads_completed().await?;
        }
        let error = TempFile::new_in("/no/such/folder").await.unwrap_err();
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
        Ok(())
    });
}

#[test]
fn file_02_temporary_things_are_removed_also_by_a_cancelled_close() {
    terzetto::run(async {
        let (dir, file) = (TempDir::new().await?, TempFile::new().await?);
        let paths: [Path; 2] = [dir.path().clone(), file.path().clone()];
        let scope = CancelScope::new();
        scope.cancel();
        let closing = scope.run(async {
            let (one, two) = (dir.close().await, file.close().await);
            assert!(one.is_err());
            Ok(two?)
        });
        assert!(closing.await?.is_none() && scope.cancelled_caught());
        for path in paths {
            assert!(!fs::try_exists(path).await?);
        }
        Ok(())
    })
    .unwrap();
}
