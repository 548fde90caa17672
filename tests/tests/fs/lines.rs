//! FILE-01: reading line by line.

use super::in_a_folder;
use std::io::ErrorKind;
use terzetto::{
    CancelScope,
    fs::{BufReader, File},
    testing::assert_checkpoints,
};

#[test]
fn file_01_lines_come_out_as_the_standard_librarys() {
    const TEXTS: [&str; 8] = [
        "",
        "\n",
        "one",
        "one\n",
        "one\ntwo",
        "\r\none\r\n\n\rtwo\r\n",
        "a\r",
        "ä€\n😀\nlonger than the others\n",
    ];
    in_a_folder(async |dir| {
        let path = dir.path().join("f");
        for text in TEXTS {
            path.write(text).await?;
            let expected: Vec<&str> = text.lines().collect();
            // Also where the end of a chunk falls amid a line, its end, a character.
            for capacity in [1, 2, 3, 7, 65_536] {
                let mut reader = BufReader::with_capacity(capacity, path.open().await?);
                let mut lines = Vec::new();
                while let Some(line) = reader.next_line().await? {
                    lines.push(line);
                }
                assert_eq!(reader.next_line().await?, None, "the end stays the end");
                assert_eq!(lines, expected, "{text:?} by {capacity}");
            }
        }
        Ok(())
    });
}

#[test]
fn file_01_parts_keep_their_delimiter_and_many_lines_cost_few_trips() {
    in_a_folder(async |dir| {
        let path = dir.path().join("f");
        path.write("a;bc;;d").await?;
        let mut reader = BufReader::new(File::open(&path).await?);
        let mut parts = Vec::new();
        while let Some(part) = reader.next_until(b';').await? {
            parts.push(String::from_utf8(part)?);
        }
        assert_eq!(parts, ["a;", "bc;", ";", "d"]);

        let text: String = (0..20_000).map(|i| format!("{i}\n")).collect();
        path.write(text).await?;
        let mut reader = BufReader::new(File::open(&path).await?);
        let mut count = 0;
        while let Some(line) = assert_checkpoints(reader.next_line()).await? {
            assert_eq!(line, count.to_string());
            count += 1;
        }
        assert_eq!(count, 20_000);
        Ok(())
    });
}

#[test]
fn file_01_a_line_that_is_no_text_is_passed_over() {
    in_a_folder(async |dir| {
        let path = dir.path().join("f");
        path.write(&b"good\nb\xffd\ngood again"[..]).await?;
        let mut reader = BufReader::new(path.open().await?);
        assert_eq!(reader.next_line().await?.as_deref(), Some("good"));
        let error = reader.next_line().await.unwrap_err();
        assert_eq!(error.kind(), Some(ErrorKind::InvalidData));
        assert_eq!(reader.next_line().await?.as_deref(), Some("good again"));
        Ok(())
    });
}

#[test]
fn file_01_a_cancelled_line_is_not_lost() {
    in_a_folder(async |dir| {
        let path = dir.path().join("f");
        path.write("one\ntwo\nthree\n").await?;
        let mut reader = BufReader::with_capacity(5, path.open().await?);
        let mut lines = Vec::new();
        for i in 0.. {
            let scope = CancelScope::new();
            if i % 2 == 0 {
                scope.cancel();
            }
            match scope.run(async { Ok(reader.next_line().await?) }).await? {
                Some(Some(line)) => lines.push(line),
                Some(None) => break,
                None => {}
            }
        }
        assert_eq!(lines, ["one", "two", "three"]);
        Ok(())
    });
}
