//! Videos that only `ffmpeg` reads.

use std::{io::ErrorKind, path::Path, process::Command};

use super::{FilmError, names};

/// Has `ffmpeg` write the frames of a film, each once, as grey images. `codec` says what the film is, for the error.
pub(super) fn unpack(film: &Path, folder: &Path, name: &str, codec: &str) -> Result<usize, FilmError> {
    log::info!("`{}` ({codec}) is unpacked by ffmpeg", film.display());
    // A percent sign in a name would be taken for the number.
    let target = folder.join(format!("{}_%04d.png", name.replace('%', "%%")));
    // The newer word for "as many frames as there are", and the older one.
    let mut said = String::new();
    for word in ["-fps_mode", "-vsync"] {
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-i"]).arg(film);
        command.args([word, "passthrough", "-pix_fmt", "gray16be"]).arg(&target);
        let output = command.output().map_err(|error| match error.kind() {
            ErrorKind::NotFound => FilmError::Video(
                film.to_owned(),
                format!(
                    "the program `ffmpeg` is needed for this film ({codec}), and is not installed. Without it, TIFF files \
                     of several pages are read, and AVI files whose frames are uncompressed or JPEG"
                ),
            ),
            _ => FilmError::File("ffmpeg".into(), error),
        })?;
        if output.status.success() {
            let start = format!("{name}_");
            return match names(folder).iter().filter(|found| found.starts_with(&start)).count() {
                0 => Err(FilmError::Video(film.to_owned(), "ffmpeg has found no frame".to_owned())),
                count => Ok(count),
            };
        }
        said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        if !said.contains("fps_mode") {
            break;
        }
    }
    Err(FilmError::Video(film.to_owned(), format!("ffmpeg cannot read it: {said}")))
}
