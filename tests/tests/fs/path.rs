//! FILE-03: the path with all that can be done with it.

use super::in_a_folder;
use std::{os::unix::fs::PermissionsExt, path};
use terzetto::fs::Path;

#[test]
fn file_03_looking_at_names_is_as_in_the_standard_library() {
    for name in ["", "/", "a", "/a/b.tar.gz", "../x/./y/", ".hidden", "a//b", "ü/ö.txt"] {
        let (ours, std) = (Path::new(name), path::Path::new(name));
        assert_eq!(ours.as_std(), std);
        assert_eq!(ours.clone().into_std(), std);
        assert_eq!(ours.parent().as_ref().map(Path::as_std), std.parent());
        assert!(ours.ancestors().map(Path::into_std).eq(std.ancestors()));
        assert!(ours.components().eq(std.components()));
        assert_eq!(ours.file_name(), std.file_name());
        assert_eq!(ours.file_stem(), std.file_stem());
        assert_eq!(ours.extension(), std.extension());
        assert_eq!(ours.with_extension("md").as_std(), std.with_extension("md"));
        assert_eq!(ours.with_file_name("z").as_std(), std.with_file_name("z"));
        assert_eq!((ours.is_absolute(), ours.is_relative()), (std.is_absolute(), std.is_relative()));
        for other in ["", "a", "/a", "y", "b.tar.gz"] {
            assert_eq!(ours.join(other).as_std(), std.join(other));
            assert_eq!((&ours / other).as_std(), std.join(other));
            assert_eq!(ours.starts_with(other), std.starts_with(other));
            assert_eq!(ours.ends_with(other), std.ends_with(other));
            assert_eq!(
                ours.strip_prefix(other).ok().map(Path::into_std),
                std.strip_prefix(other).ok().map(path::Path::to_owned)
            );
        }
        assert_eq!(format!("{ours:?} {}", ours.display()), format!("{std:?} {}", std.display()));
    }
    assert_eq!(Path::from("a"), Path::from(path::PathBuf::from("a")));
    assert!(Path::new("a") < Path::new("b"));
}

#[test]
fn file_03_asking_the_system_is_as_the_functions() {
    in_a_folder(async |dir| {
        let folder = dir.path() / "a" / "b";
        folder.create_dir_all().await?;
        (dir.path() / "c").create_dir().await?;
        (dir.path() / "c").remove_dir().await?;
        let file = &folder / "f";
        assert!(!file.try_exists().await? && !file.is_file().await? && !file.is_symlink().await?);
        file.write("text").await?;
        assert!(file.try_exists().await? && file.is_file().await? && !file.is_dir().await?);
        assert!(folder.is_dir().await?);
        assert_eq!((file.read().await?, file.read_to_string().await?), (b"text".to_vec(), "text".into()));
        assert_eq!(file.metadata().await?.len(), 4);
        assert_eq!(file.open().await?.read_to_string().await?, "text");
        file.create().await?.close().await?;
        assert_eq!(file.read().await?, b"");
        let link = &folder / "link";
        file.symlink(&link).await?;
        assert!(link.is_symlink().await? && link.is_file().await?);
        assert!(link.symlink_metadata().await?.is_symlink());
        assert_eq!(link.read_link().await?, file);
        assert_eq!(link.canonicalize().await?, file.canonicalize().await?);
        file.hard_link(&folder / "hard").await?;
        file.set_permissions(PermissionsExt::from_mode(0o400)).await?;
        assert_eq!((&folder / "hard").metadata().await?.permissions().mode() & 0o777, 0o400);
        assert_eq!(file.copy(&folder / "copy").await?, 0);
        (&folder / "copy").rename(&folder / "moved").await?;
        link.remove_file().await?;
        let mut entries = folder.read_dir().await?;
        let mut names = Vec::new();
        while let Some(entry) = entries.next().await? {
            names.push(entry.file_name().to_str().unwrap().to_owned());
        }
        names.sort();
        assert_eq!(names, ["f", "hard", "moved"]);
        (dir.path() / "a").remove_dir_all().await?;
        assert!(!folder.try_exists().await?);
        Ok(())
    });
}
