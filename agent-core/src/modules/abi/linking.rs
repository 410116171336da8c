//! What a shared object tells the dynamic linker: which libraries it needs, and where it wants them to be looked for.
//! Read from the file, before anything of it is mapped: a constructor could not be asked.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// More libraries than any module brings in.
const MOST_FILES: usize = 128;
/// So many directories are looked for in a place.
const MOST_DIRECTORIES: usize = 256;
/// The directory of a place that has one for each level of abilities.
const HWCAPS: &str = "glibc-hwcaps";
/// The names of such directories before, in any order and one in another.
const BEFORE_HWCAPS: [&str; 26] = [
    "aarch64", "atomics", "avx512_1", "fpu", "haswell", "i386", "i486", "i586", "i686", "neon",
    "power6", "power7", "power8", "power9", "ppc64le", "s390x", "sse2", "tls", "v6l", "v7l", "v8l",
    "vfp", "x86_64", "xeon_phi", "z13", "z14",
];
/// More than any table that is read here, in bytes.
const LONGEST: u64 = 16 << 20;

const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_SONAME: u64 = 14;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
/// Both make the linker load other libraries, too.
const DT_AUXILIARY: u64 = 0x7fff_fffd;
const DT_FILTER: u64 = 0x7fff_ffff;

/// What one shared object says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linking {
    /// The name by which others need it.
    pub soname: Option<OsString>,
    /// The names of the libraries that it needs; one with a slash is a path.
    pub needed: Vec<OsString>,
    /// The directories of its `RPATH` and `RUNPATH`, as they are written there.
    pub search: Vec<OsString>,
}

impl Linking {
    /// Of this file; nothing if it is none that the dynamic linker of this program takes.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or its tables make no sense.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let Some(elf) = Elf::of(&file)? else {
            return Ok(Self::default());
        };
        elf.linking()
    }
}

/// A place where a library is looked for, with `$ORIGIN` replaced by the directory of the object that says so. `None`
/// where it depends on more than that.
pub(crate) fn expanded(place: &OsStr, object: &Path) -> Option<PathBuf> {
    let origin = object.parent()?.as_os_str().as_bytes();
    let text = replaced(place.as_bytes(), b"${ORIGIN}", origin);
    let text = replaced(&text, b"$ORIGIN", origin);
    let is_plain = !text.contains(&b'$');
    is_plain.then(|| PathBuf::from(OsString::from_vec(text)))
}

/// A place, and the directories in it where the dynamic linker looks before: for the abilities of processors, as glibc
/// has them now (`glibc-hwcaps/x86-64-v3`), and until 2.36 (`tls/haswell/x86_64`).
pub(crate) fn searched(place: &Path) -> Vec<PathBuf> {
    let mut directories = vec![place.to_owned()];
    let mut seen = 0;
    while let Some(directory) = directories.get(seen) {
        seen += 1;
        let is_new = directory.ends_with(HWCAPS);
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let more: Vec<PathBuf> = entries
            .filter(|entry| is_new || is_for_processors(&entry.file_name()))
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        directories.extend(more);
        directories.truncate(MOST_DIRECTORIES);
    }
    directories
}

fn is_for_processors(name: &OsStr) -> bool {
    name == HWCAPS || BEFORE_HWCAPS.iter().any(|known| name == *known)
}

fn replaced(text: &[u8], token: &[u8], by: &[u8]) -> Vec<u8> {
    let mut done = Vec::new();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(token) {
            done.extend_from_slice(by);
            rest = after;
        } else {
            done.push(*first);
            rest = tail;
        }
    }
    done
}

/// These objects, and those that they bring in from places that they name themselves: in `RPATH`, in `RUNPATH`, by a
/// path. What is found in the directories of all programs is not among them.
///
/// # Errors
///
/// Which of them cannot be read, and why.
pub fn family(objects: &[PathBuf]) -> Result<Vec<(PathBuf, Linking)>, (PathBuf, io::Error)> {
    let mut paths = objects.to_vec();
    let mut handles: Vec<(PathBuf, Linking)> = Vec::new();
    while let Some(path) = paths.get(handles.len()).cloned() {
        let linking = Linking::read(&path).map_err(|error| (path.clone(), error))?;
        handles.push((path, linking));
        for found in beside(&handles) {
            if !paths.contains(&found) {
                paths.push(found);
            }
        }
        if paths.len() > MOST_FILES {
            let error = io::Error::other(format!("it brings in more than {MOST_FILES} libraries"));
            return Err((paths.swap_remove(0), error));
        }
    }
    Ok(handles)
}

/// The files that a member names, or that have the name of a needed library in a place that a member names. The
/// places of one hold for those that it brings in, so all are tried for all.
fn beside(handles: &[(PathBuf, Linking)]) -> Vec<PathBuf> {
    let mut places = Vec::new();
    for (path, linking) in handles {
        places.extend(
            linking
                .search
                .iter()
                .filter_map(|each| expanded(each, path)),
        );
    }
    let mut directories = Vec::new();
    for place in &places {
        directories.extend(searched(place));
    }
    let mut found = Vec::new();
    for (path, linking) in handles {
        for name in &linking.needed {
            if is_path(name) {
                found.extend(expanded(name, path));
            } else {
                found.extend(directories.iter().map(|directory| directory.join(name)));
            }
        }
    }
    found.retain(|path| path.is_absolute() && fs::metadata(path).is_ok_and(|file| file.is_file()));
    found
}

/// Whether the name of a library is the path of one.
#[must_use]
pub fn is_path(name: &OsStr) -> bool {
    name.as_bytes().contains(&b'/')
}

/// A file of the format of this machine.
struct Elf<'a> {
    file: &'a File,
    /// The size of an address, in bytes.
    word: usize,
    segments: Vec<Segment>,
}

struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    size: u64,
}

impl<'a> Elf<'a> {
    fn of(file: &'a File) -> io::Result<Option<Self>> {
        let mut head = [0; 64];
        if file.read_exact_at(&mut head, 0).is_err() || head[..4] != *b"\x7fELF" {
            return Ok(None);
        }
        let word = match head[4] {
            1 => 4,
            2 => 8,
            _ => return Ok(None),
        };
        let native = if cfg!(target_endian = "little") { 1 } else { 2 };
        if head[5] != native {
            return Ok(None);
        }
        let (table, size, count) = if word == 8 {
            (32, 54, 56)
        } else {
            (28, 42, 44)
        };
        let mut elf = Self {
            file,
            word,
            segments: Vec::new(),
        };
        let table = number(&head, table, word)?;
        let size = number(&head, size, 2)?;
        for index in 0..number(&head, count, 2)? {
            let header = elf.piece(table.saturating_add(index * size), size)?;
            // From the type on, the order depends on the size of an address.
            let places = if word == 8 { [8, 16, 32] } else { [4, 8, 16] };
            elf.segments.push(Segment {
                kind: number(&header, 0, 4)?,
                offset: number(&header, places[0], word)?,
                address: number(&header, places[1], word)?,
                size: number(&header, places[2], word)?,
            });
        }
        Ok(Some(elf))
    }

    fn linking(&self) -> io::Result<Linking> {
        let mut linking = Linking::default();
        let dynamic = self.segments.iter().find(|each| each.kind == PT_DYNAMIC);
        let Some(dynamic) = dynamic else {
            return Ok(linking);
        };
        let entries = self.at(dynamic.address, dynamic.size)?;
        let entries: Vec<(u64, u64)> = entries
            .chunks_exact(2 * self.word)
            .map(|entry| {
                Ok((
                    number(entry, 0, self.word)?,
                    number(entry, self.word, self.word)?,
                ))
            })
            .take_while(|entry| !matches!(entry, Ok((0, _))))
            .collect::<io::Result<_>>()?;
        let value = |tag| entries.iter().find(|entry| entry.0 == tag);
        let (Some((_, strings)), Some((_, size))) = (value(DT_STRTAB), value(DT_STRSZ)) else {
            return Ok(linking);
        };
        let strings = self.at(*strings, *size)?;
        for (tag, value) in entries {
            match tag {
                DT_NEEDED | DT_AUXILIARY | DT_FILTER => linking.needed.push(text(&strings, value)?),
                DT_SONAME => linking.soname = Some(text(&strings, value)?),
                DT_RPATH | DT_RUNPATH => {
                    let places = text(&strings, value)?;
                    let places = places.as_bytes().split(|byte| *byte == b':');
                    let places = places.map(|place| OsStr::from_bytes(place).to_owned());
                    linking.search.extend(places);
                }
                _ => {}
            }
        }
        Ok(linking)
    }

    /// Bytes by the address at which they are mapped.
    fn at(&self, address: u64, size: u64) -> io::Result<Vec<u8>> {
        let segment = self.segments.iter().find(|segment| {
            let inside = address.checked_sub(segment.address);
            segment.kind == PT_LOAD && inside.is_some_and(|inside| inside < segment.size)
        });
        let segment = segment.ok_or_else(nonsense)?;
        let offset = segment.offset.saturating_add(address - segment.address);
        self.piece(offset, size)
    }

    fn piece(&self, offset: u64, size: u64) -> io::Result<Vec<u8>> {
        if size > LONGEST {
            return Err(nonsense());
        }
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

/// A number of so many bytes.
fn number(bytes: &[u8], start: usize, size: usize) -> io::Result<u64> {
    let bytes = bytes.get(start..start + size).ok_or_else(nonsense)?;
    let shifted = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
    Ok(if cfg!(target_endian = "little") {
        bytes.iter().rev().fold(0, shifted)
    } else {
        bytes.iter().fold(0, shifted)
    })
}

fn text(strings: &[u8], start: u64) -> io::Result<OsString> {
    let start = usize::try_from(start).map_err(io::Error::other)?;
    let rest = strings.get(start..).ok_or_else(nonsense)?;
    let text = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(OsStr::from_bytes(text).to_owned())
}

fn nonsense() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "its tables for the dynamic linker make no sense",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_needs_the_c_library_and_names_no_place() {
        let this = std::env::current_exe().unwrap();

        let linking = Linking::read(&this).unwrap();

        let is_c_library = |name: &&OsString| name.as_bytes().starts_with(b"libc.");
        assert!(linking.needed.iter().any(|name| is_c_library(&name)));
        assert_eq!(linking.search, [""; 0]);
    }

    #[test]
    fn what_is_no_shared_object_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for bytes in [b"".as_slice(), b"\x7fELF", &[0; 200]] {
            fs::write(&path, bytes).unwrap();

            assert_eq!(Linking::read(&path).unwrap(), Linking::default());
        }
    }

    #[test]
    fn a_shared_object_that_is_cut_or_garbled_is_an_error_or_says_nothing() {
        let this = fs::read(std::env::current_exe().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for length in [64, 65, 100, 500, 1000] {
            fs::write(&path, &this[..length]).unwrap();

            assert!(Linking::read(&path).is_err(), "{length}");
        }
        // Each byte of the headers, and all of them.
        for start in 0..64 {
            let mut garbled = this[..4096].to_vec();
            garbled[start] = 0xff;
            fs::write(&path, &garbled).unwrap();
            let _never_panics = Linking::read(&path);
        }
    }

    #[test]
    fn the_origin_is_the_directory_of_the_object() {
        let object = Path::new("/opt/a/module.so");
        let expand = |place: &str| expanded(OsStr::new(place), object);
        let path = |path: &str| Some(PathBuf::from(path));

        assert_eq!(expand("$ORIGIN/../lib"), path("/opt/a/../lib"));
        assert_eq!(expand("${ORIGIN}"), path("/opt/a"));
        assert_eq!(expand("/usr/lib"), path("/usr/lib"));
        assert_eq!(expand("/usr/$LIB"), None);
    }
}
