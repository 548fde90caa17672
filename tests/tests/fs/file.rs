//! FILE-01: an open file.

use super::in_a_folder;
use std::io::{ErrorKind, SeekFrom};
use terzetto::{
    Error,
    fs::{self, File, FileError},
    nursery,
    testing::assert_checkpoints,
    to_thread,
};

#[test]
fn file_01_reading_writing_and_seeking() {
    in_a_folder(async |dir| {
        let path = dir.path().join("f");
        let file = File::create_new(&path).await?;
        file.write_all("hello, ").await?;
        file.write_all(vec![b'w', b'o']).await?;
        file.write_all(&b"rld"[..]).await?;
        assert_eq!(file.metadata().await?.len(), 12);
        assert_eq!(file.read(&mut [0; 8]).await?, 0, "the end");
        assert_eq!(file.seek(SeekFrom::End(-5)).await?, 7);
        let mut buffer = [0; 8];
        assert_eq!(file.read(&mut buffer).await?, 5);
        assert_eq!(&buffer[..5], b"world");
        file.seek(SeekFrom::Start(0)).await?;
        file.read_exact(&mut buffer[..5]).await?;
        assert_eq!(&buffer[..5], b"hello");
        assert_eq!(file.read_to_string().await?, ", world");
        file.set_len(4).await?;
        file.sync_all().await?;
        file.sync_data().await?;
        file.seek(SeekFrom::Start(2)).await?;
        assert_eq!(file.read_to_end().await?, b"ll");
        assert_eq!(fs::read(&path).await?, b"hell");
        // More than one read brings.
        let big: Vec<u8> = (0..3_000_000_u32).map(|i| i as u8).collect();
        fs::write(&path, big.clone()).await?;
        let file = File::open(&path).await?;
        let (mut all, mut chunk) = (Vec::new(), vec![0; 1 << 21]);
        loop {
            match file.read(&mut chunk).await? {
                0 => break,
                n => all.extend_from_slice(&chunk[..n]),
            }
        }
        assert!(all == big);
        Ok(())
    });
}

#[test]
fn file_01_the_ways_to_open_a_file() {
    in_a_folder(async |dir| {
        let path = dir.path().join("f");
        let error = File::open(&path).await.unwrap_err();
        assert_eq!(error.kind(), Some(ErrorKind::NotFound));
        File::create(&path).await?.write_all("one").await?;
        assert_eq!(File::create_new(&path).await.unwrap_err().kind(), Some(ErrorKind::AlreadyExists));
        let log = File::options().append(true).open(&path).await?;
        log.write_all(" two").await?;
        assert_eq!(fs::read_to_string(&path).await?, "one two");
        let read_only = File::open(&path).await?;
        assert!(read_only.write_all("x").await.is_err());
        File::create(&path).await?.close().await?;
        assert_eq!(fs::metadata(&path).await?.len(), 0, "emptied");
        let private = File::options().write(true).create(true).mode(0o600).open(dir.path().join("p")).await?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&private.metadata().await?.permissions());
        assert_eq!(mode & 0o777, 0o600);
        // One that was opened elsewhere.
        let file = File::from_std(std::fs::File::open(dir.path().join("p"))?, "elsewhere");
        assert_eq!(file.read_to_end().await?, b"");
        Ok(())
    });
}

#[test]
fn file_01_errors_name_the_file() {
    in_a_folder(async |dir| {
        let path = dir.path().join("no such file");
        let error = Error::from(File::open(&path).await.unwrap_err());
        let failed = error.downcast_ref::<FileError>().unwrap();
        assert!(matches!(failed, FileError::Failed { path: of, .. } if of == path.as_std()));
        assert!(error.to_string().contains("cannot open") && error.to_string().contains("no such file"));
        // As an `io::Error` it says the same, and keeps its kind.
        let io = std::io::Error::from(fs::read(&path).await.unwrap_err());
        assert_eq!(io.kind(), ErrorKind::NotFound);
        assert!(io.to_string().contains("no such file"));
        let error = fs::rename(&path, dir.path().join("new name")).await.unwrap_err();
        assert!(error.to_string().contains("no such file") && error.to_string().contains("new name"));
        let file = File::create(dir.path().join("f")).await?;
        assert!(file.read_to_end().await.unwrap_err().to_string().contains("cannot read"));
        fs::write(dir.path().join("binary"), b"\xff\xfe").await?;
        let error = dir.path().join("binary").read_to_string().await.unwrap_err();
        assert_eq!(error.kind(), Some(ErrorKind::InvalidData));
        Ok(())
    });
}

#[test]
fn file_01_the_operations_on_a_file_are_done_one_after_the_other() {
    in_a_folder(async |dir| {
        let file = File::create(dir.path().join("f")).await?;
        let (most, order) = (std::cell::Cell::new(0), std::cell::RefCell::new(Vec::new()));
        nursery(async |n| {
            for i in 0..100_u8 {
                let (file, most, order) = (&file, &most, &order);
                n.start_soon(async move {
                    order.borrow_mut().push(i);
                    file.write_all(vec![i; 1000]).await?;
                    most.set(most.get().max(to_thread::active_thread_count()));
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        let written = fs::read(file.path()).await?;
        let in_order: Vec<u8> = order.take().into_iter().flat_map(|i: u8| [i; 1000]).collect();
        assert!(written == in_order, "each whole, in the order of asking");
        assert!(most.get() <= 1, "those that wait hold no thread: {}", most.get());
        Ok(())
    });
}

#[test]
fn file_01_each_operation_is_a_checkpoint() {
    in_a_folder(async |dir| {
        let path = dir.path().join("f");
        let file = assert_checkpoints(File::create_new(&path)).await?;
        assert_checkpoints(file.write_all("x")).await?;
        assert_checkpoints(file.seek(SeekFrom::Start(0))).await?;
        assert_checkpoints(file.read(&mut [0])).await?;
        assert_checkpoints(file.read(&mut [])).await?;
        assert_checkpoints(file.read_to_end()).await?;
        assert_checkpoints(file.set_len(0)).await?;
        assert_checkpoints(file.metadata()).await?;
        assert_checkpoints(file.sync_all()).await?;
        assert_checkpoints(file.close()).await?;
        assert_checkpoints(file.close()).await?;
        assert_checkpoints(fs::write(&path, "x")).await?;
        assert_checkpoints(fs::read(&path)).await?;
        assert_checkpoints(fs::metadata(&path)).await?;
        assert_checkpoints(fs::try_exists(&path)).await?;
        assert_checkpoints(fs::remove_file(&path)).await?;
        Ok(())
    });
}
