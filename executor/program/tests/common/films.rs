//! Films, written byte by byte.

use std::{fs, path::Path};

use terzetto_kernels::{Image, image::encode_tiff};

/// A film of some pages, as a camera writes it.
pub fn film(path: &Path, pages: &[Image]) {
    // The directories of single files, one after the other in one file: each ends with the place of the next.
    let mut file: Vec<u8> = Vec::new();
    let mut link = 4;
    for page in pages {
        let bytes = encode_tiff(page).unwrap();
        let start = file.len();
        let read = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let directory = read(4);
        let count = usize::from(u16::from_le_bytes([bytes[directory], bytes[directory + 1]]));
        let mut moved = bytes.clone();
        for entry in (0..count).map(|index| directory + 2 + 12 * index) {
            let tag = u16::from_le_bytes([bytes[entry], bytes[entry + 1]]);
            let kind = bytes[entry + 2];
            let size = [0, 1, 1, 2, 4, 8][usize::from(kind.min(5))] * read(entry + 4);
            if size > 4 || tag == 273 && read(entry + 4) == 1 {
                let place = (read(entry + 8) + start) as u32;
                moved[entry + 8..entry + 12].copy_from_slice(&place.to_le_bytes());
            }
            if tag == 273 && read(entry + 4) > 1 {
                let (list, count) = (read(entry + 8), read(entry + 4));
                for at in (0..count).map(|index| list + 4 * index) {
                    let place = (read(at) + start) as u32;
                    moved[at..at + 4].copy_from_slice(&place.to_le_bytes());
                }
            }
        }
        file.extend(&moved);
        if start > 0 {
            let place = ((start + directory) as u32).to_le_bytes();
            file[link..link + 4].copy_from_slice(&place);
        }
        link = start + directory + 2 + 12 * count;
    }
    fs::write(path, file).unwrap();
}

/// A chunk of a RIFF file.
fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes.extend(content);
    if content.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

fn list(name: &[u8; 4], kind: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
    chunk(name, &[kind.to_vec(), parts.concat()].concat())
}

/// An AVI file with a stream of sound and one of frames.
pub fn avi(codec: &[u8; 4], bits: u16, (width, height): (i32, i32), frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bitmap = Vec::new();
    for word in [40, width, height] {
        bitmap.extend(word.to_le_bytes());
    }
    bitmap.extend(1_u16.to_le_bytes());
    bitmap.extend(bits.to_le_bytes());
    bitmap.extend(codec);
    bitmap.extend([0; 20]);
    let sound = list(b"LIST", b"strl", &[chunk(b"strh", b"auds...."), chunk(b"strf", &[7; 18])]);
    let video = list(b"LIST", b"strl", &[chunk(b"strh", b"vidsMJPG"), chunk(b"strf", &bitmap)]);
    let header = list(b"LIST", b"hdrl", &[chunk(b"avih", &[0; 56]), sound, video]);
    let mut movie = vec![chunk(b"00wb", b"noise")];
    movie.extend(frames.iter().map(|frame| chunk(b"01dc", frame)));
    list(
        b"RIFF",
        b"AVI ",
        &[header, chunk(b"JUNK", b"..."), list(b"LIST", b"movi", &movie), chunk(b"idx1", b"")],
    )
}
