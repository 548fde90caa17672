//! The addresses of the calls in a copy of a stack.
//!
//! Each program and shared library has tables that say, for every place in its code, where the frame of the caller is.
//! They are there also in release builds, since panics need them. They are read from the files on the disk; those of
//! the kernel's own library (`[vdso]`), from memory.

use crate::observe::native_stack::sample::StackCopy;
use framehop::{
    CacheNative, ExplicitModuleSectionInfo, MayAllocateDuringUnwind, Module, UnwindRegsNative, Unwinder,
    UnwinderNative,
};
use object::{Object, ObjectSection, ObjectSegment, ReadCache, ReadRef, SegmentFlags, elf::PF_X};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    ops::Range,
    os::unix::fs::FileExt,
};

/// The largest pages.
const PAGE: u64 = 64 * 1024;

/// At most so many calls.
const MOST: usize = 256;

/// The call under way, and those around it.
pub(super) fn addresses(copy: &StackCopy) -> Vec<u64> {
    let mut unwinder = UnwinderNative::<Vec<u8>, MayAllocateDuringUnwind>::new();
    for module in modules() {
        unwinder.add_module(module);
    }
    let registers = copy.registers;
    let mut read = |address: u64| {
        let place = usize::try_from(address.checked_sub(registers.stack_pointer).ok_or(())?).map_err(drop)?;
        let bytes = copy.bytes.get(place..).and_then(|rest| rest.first_chunk()).ok_or(())?;
        Ok(u64::from_ne_bytes(*bytes))
    };
    #[cfg(target_arch = "x86_64")]
    let start =
        UnwindRegsNative::new(registers.program_counter, registers.stack_pointer, registers.frame_pointer);
    #[cfg(target_arch = "aarch64")]
    let start = UnwindRegsNative::new(registers.link, registers.stack_pointer, registers.frame_pointer);
    let mut cache = CacheNative::<MayAllocateDuringUnwind>::new();
    let mut frames = unwinder.iter_frames(registers.program_counter, start, &mut cache, &mut read);
    let mut addresses = Vec::new();
    // If the copy ends before the stack does, the calls further out are missing.
    while let Ok(Some(frame)) = frames.next()
        && addresses.len() < MOST
    {
        addresses.push(frame.address_for_lookup());
    }
    addresses
}

/// Where a file is in memory.
struct Mapped {
    range: Range<u64>,
    /// The address of its first executable part, and the place of that in the file.
    code: Option<(u64, u64)>,
}

/// What is loaded in this process. What cannot be read is left out, and unwound by frame pointers.
fn modules() -> Vec<Module<Vec<u8>>> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut files: BTreeMap<&str, Mapped> = BTreeMap::new();
    for (range, is_code, offset, name) in maps.lines().filter_map(parse) {
        let file = files.entry(name).or_insert_with(|| Mapped { range: range.clone(), code: None });
        file.range.end = range.end;
        if is_code && file.code.is_none() {
            file.code = Some((range.start, offset));
        }
    }
    files.iter().filter_map(|(name, mapped)| module(name, mapped).ok()).collect()
}

/// A line of `/proc/self/maps`: addresses, whether it is code, the place in the file, the file.
fn parse(line: &str) -> Option<(Range<u64>, bool, u64, &str)> {
    let mut words = line.splitn(6, ' ');
    let (from, to) = words.next()?.split_once('-')?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let is_code = words.next()?.contains('x');
    let offset = number(words.next()?)?;
    let name = words.nth(2)?.trim_start();
    let is_program = name.starts_with('/') || name == "[vdso]";
    is_program.then_some((number(from)?..number(to)?, is_code, offset, name))
}

fn module(name: &str, mapped: &Mapped) -> io::Result<Module<Vec<u8>>> {
    let Some(code) = mapped.code else { return Err(io::ErrorKind::NotFound.into()) };
    if name == "[vdso]" {
        let mut bytes = vec![0; usize::try_from(mapped.range.end - mapped.range.start).unwrap_or(0)];
        File::open("/proc/self/mem")?.read_exact_at(&mut bytes, mapped.range.start)?;
        return parse_module(name, mapped, code, bytes.as_slice());
    }
    // The program's own file may have been replaced by a newer one; this path leads to the one that runs.
    let own = fs::read_link("/proc/self/exe").is_ok_and(|path| path.as_os_str() == name);
    let file = File::open(if own { "/proc/self/exe" } else { name })?;
    parse_module(name, mapped, code, &ReadCache::new(file))
}

fn parse_module<'a>(
    name: &str,
    mapped: &Mapped,
    (address, offset): (u64, u64),
    bytes: impl ReadRef<'a>,
) -> io::Result<Module<Vec<u8>>> {
    let file = object::File::parse(bytes).map_err(io::Error::other)?;
    // By how much the file lies higher than it says. The mapping begins at the page in which the segment begins.
    let shift = file
        .segments()
        .filter(
            |segment| matches!(segment.flags(), SegmentFlags::Elf { p_flags, .. } if p_flags.contains(PF_X)),
        )
        .find_map(|segment| {
            let (start, size) = segment.file_range();
            let begins = start & !(PAGE - 1);
            let as_stated = segment.address().wrapping_add(offset).wrapping_sub(start);
            (begins..start.saturating_add(size)).contains(&offset).then(|| address.wrapping_sub(as_stated))
        })
        .ok_or(io::ErrorKind::NotFound)?;
    let range = |name: &str| {
        let section = file.section_by_name(name)?;
        Some(section.address()..section.address() + section.size())
    };
    let data = |name: &str| file.section_by_name(name)?.data().ok().map(<[u8]>::to_vec);
    let base = file.relative_address_base();
    let sections = ExplicitModuleSectionInfo {
        base_svma: base,
        text_svma: range(".text"),
        text: data(".text"),
        got_svma: range(".got"),
        eh_frame_svma: range(".eh_frame"),
        eh_frame: data(".eh_frame"),
        eh_frame_hdr_svma: range(".eh_frame_hdr"),
        eh_frame_hdr: data(".eh_frame_hdr"),
        ..ExplicitModuleSectionInfo::default()
    };
    Ok(Module::new(name.to_owned(), mapped.range.clone(), base.wrapping_add(shift), sections))
}
