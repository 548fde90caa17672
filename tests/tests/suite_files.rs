//! What trio's own tests of files and paths assert, where no other test here does.

use std::{
    collections::{HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    os::unix::ffi::OsStrExt,
};
use terzetto::{
    CancelScope, Error,
    fs::{BufReader, File, FileError, Path, TempDir},
};

fn real<T>(main: impl Future<Output = Result<T, Error>>) -> T {
    terzetto::run(main).unwrap()
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn names(paths: &[Path]) -> HashSet<&str> {
    paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect()
}

#[test]
fn trio_file_open_and_context_manager() {
    real(async {
        let dir = TempDir::new().await?;
        let path = dir.path() / "f";
        let file = path.create().await?;
        assert_eq!(file.path(), path.as_std());
        file.write_all("a").await?;
        file.close().await?;
        assert!(matches!(file.write_all("b").await, Err(FileError::Closed { .. })));
        // A block that is left closes by dropping.
        {
            File::open(&path).await?;
        }
        assert_eq!(path.read_to_string().await?, "a");
        Ok(dir.close().await?)
    });
}

#[test]
fn trio_file_async_iter() {
    real(async {
        let dir = TempDir::new().await?;
        let path = dir.path() / "f";
        path.write("test\nfoo\nbar").await?;
        let mut reader = BufReader::new(path.open().await?);
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line().await? {
            lines.push(line);
        }
        assert_eq!(lines, ["test", "foo", "bar"]);
        Ok(dir.close().await?)
    });
}

#[test]
fn trio_file_aclose_cancelled() {
    real(async {
        let dir = TempDir::new().await?;
        let path = dir.path() / "f";
        let scope = CancelScope::new();
        let file = path.create().await?;
        scope
            .run(async {
                scope.cancel();
                assert!(matches!(file.write_all("a").await, Err(FileError::Cancelled(_))));
                Ok(file.close().await?)
            })
            .await?;
        assert!(scope.cancelled_caught());
        assert!(matches!(file.write_all("a").await, Err(FileError::Closed { .. })));
        assert_eq!(path.read().await?, b"");
        Ok(dir.close().await?)
    });
}

#[test]
fn trio_path_magic_comparisons_and_hashes() {
    let path = Path::new("test");
    assert_eq!(
        (path.display().to_string(), path.as_std().as_os_str().as_bytes()),
        ("test".into(), &b"test"[..])
    );
    assert_eq!(format!("{path:?}"), "\"test\"");
    assert_eq!(Path::new(""), Path::default());
    assert!(Path::new("a") < Path::new("b") && Path::new("b") > Path::new("a"));
    for name in ["foo", "foo/bar/baz", "./foo"] {
        assert_eq!(hash(&Path::new(name)), hash(&Path::from(name.to_owned())));
    }
    for joined in
        [Path::new("a") / "b", &Path::new("a") / Path::new("b"), Path::new("a") / std::path::Path::new("b")]
    {
        assert_eq!(joined, Path::new("a/b"));
    }
}

#[test]
fn trio_path_methods_give_paths() {
    real(async {
        let dir = TempDir::new().await?;
        let path = dir.path() / "test";
        assert_eq!(path.file_name().unwrap(), "test");
        assert_eq!(path.with_file_name("foo"), dir.path() / "foo");
        assert_eq!(path.with_extension("py"), dir.path() / "test.py");
        assert_eq!(path.parent().as_ref(), Some(dir.path()));
        let here = Path::new(".");
        assert_eq!(here.is_dir().await?, std::path::Path::new(".").is_dir());
        assert_eq!(here.is_file().await?, std::path::Path::new(".").is_file());
        assert_eq!(here.absolute().await?.as_std(), std::path::absolute(".")?);
        assert_eq!(here.canonicalize().await?.as_std(), std::fs::canonicalize(".")?);
        let absolute = here.absolute().await?;
        assert_eq!(path.join(&absolute), absolute);
        Ok(dir.close().await?)
    });
}

#[test]
fn trio_path_classmethods() {
    real(async {
        assert_eq!(Path::current_dir().await?.as_std(), std::env::current_dir()?);
        assert_eq!(Path::home().await.ok().map(Path::into_std), std::env::home_dir());
        Ok(())
    });
}

#[test]
fn trio_path_globmethods() {
    real(async {
        let dir = TempDir::new().await?;
        // Letters that mean something in a pattern mean nothing in the path of the folder.
        let path = dir.path() / "te[s]t*";
        (&path / "foo").create_dir_all().await?;
        for name in ["foo/_bar.txt", "bar.txt", "bar.dat", ".hidden.txt"] {
            (&path / name).write("").await?;
        }
        assert_eq!(names(&path.glob("*.txt").await?), ["bar.txt", ".hidden.txt"].into());
        assert_eq!(path.glob("b*.txt").await?, [&path / "bar.txt"]);
        assert_eq!(names(&path.glob("**/*bar.txt").await?), ["_bar.txt", "bar.txt"].into());
        assert_eq!(names(&path.rglob("*bar.txt").await?), ["_bar.txt", "bar.txt"].into());
        assert_eq!(names(&path.glob("bar.[a-d]??").await?), ["bar.dat"].into());
        assert!(path.glob("nothing").await?.is_empty());
        for wrong in ["", "/etc/*", "a**", "[a"] {
            for error in [path.glob(wrong).await, path.rglob(wrong).await].map(Result::unwrap_err) {
                let FileError::Failed { error, .. } = &error else { panic!("got {error:?}") };
                assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{wrong:?}: {error}");
            }
        }
        Ok(dir.close().await?)
    });
}

#[test]
fn trio_path_as_uri() {
    real(async {
        let path = Path::new("some").absolute().await?;
        assert!(path.as_uri()?.starts_with("file:///"));
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"/a%?#\xff/~x_y.z-"));
        assert_eq!(odd.as_uri()?, "file:///a%25%3F%23%FF/~x_y.z-");
        assert!(Path::new("some").as_uri().unwrap_err().to_string().contains("relative"));
        Ok(())
    });
}

#[test]
fn trio_path_iterdir() {
    real(async {
        let dir = TempDir::new().await?;
        (dir.path() / "foo").create_dir().await?;
        (dir.path() / "bar.txt").write("").await?;
        let mut entries = Vec::new();
        let mut found = dir.path().read_dir().await?;
        while let Some(entry) = found.next().await? {
            entries.push(entry.path());
        }
        assert_eq!(names(&entries), ["bar.txt", "foo"].into());
        Ok(dir.close().await?)
    });
}
