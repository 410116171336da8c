//! The state of a module on the disk: a few lines for people and for us, an empty one, and the bytes.
//!
//! ```text
//! adaptivemm-state 1
//! boot 6f2b7f6c-6f0a-4a7e-8f2d-2f4a3c1d9e10
//! module memleak 0.1.0
//! length 20480
//! checksum 00d1ca5ec0ffee00
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use adaptivemm_module_api::MAX_STATE;

use crate::base::files;

/// The first line of a file.
const FORMAT: &str = "adaptivemm-state 1";
/// The lines before the bytes are never longer.
const LONGEST_HEAD: usize = 1024;

/// Modules may have learned what is nobody's business.
const MODE: u32 = 0o600;

/// The origin of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) boot_id: String,
    /// The version of the module.
    pub(super) version: String,
}

/// The content of the place where the state of a module would be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    State(Stamp, Vec<u8>),
    /// Something else, for this reason.
    Broken(&'static str),
}

pub(super) fn path(state_dir: &Path, module: &str) -> PathBuf {
    state_dir.join("modules").join(format!("{module}.state"))
}

/// Reads the state of a module.
///
/// # Errors
///
/// Returns an error if there is a file that cannot be read.
pub(super) fn read(state_dir: &Path, module: &str) -> io::Result<Found> {
    let longest = (MAX_STATE + LONGEST_HEAD) as u64;
    let bytes = match files::read(&path(state_dir, module), longest) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) if files::is_senseless(&error) => {
            return Ok(Found::Broken("it is not a state file"));
        }
        Err(error) => return Err(error),
    };
    Ok(match parse(module, &bytes) {
        Ok((stamp, state)) => Found::State(stamp, state.to_vec()),
        Err(why) => Found::Broken(why),
    })
}

/// Puts the file where nobody takes it for a state, for whoever wants to know what was in it.
pub(super) fn set_aside(path: &Path) {
    let _replaced_soon = fs::rename(path, path.with_extension("state.broken"));
}

/// Writes the state of a module: whoever reads it sees the old one or the new one. Without bytes there is no file.
pub(super) fn write(state_dir: &Path, module: &str, stamp: &Stamp, state: &[u8]) -> io::Result<()> {
    let path = path(state_dir, module);
    if state.is_empty() {
        return files::remove(&path);
    }
    let head = head(module, stamp, state);
    let content = [head.as_bytes(), state];
    match files::replace(&path, MODE, &content) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            files::make_private(state_dir, &state_dir.join("modules"))?;
            files::replace(&path, MODE, &content)
        }
        written => written,
    }
}

fn head(module: &str, stamp: &Stamp, state: &[u8]) -> String {
    let Stamp { boot_id, version } = stamp;
    let checksum = checksum(state);
    let length = state.len();
    format!(
        "{FORMAT}\nboot {boot_id}\nmodule {module} {version}\nlength {length}\nchecksum {checksum:016x}\n\n"
    )
}

fn value<'a>(line: Option<&'a str>, key: &str) -> Option<&'a str> {
    line?.strip_prefix(key)?.strip_prefix(' ')
}

fn parse<'a>(module: &str, bytes: &'a [u8]) -> Result<(Stamp, &'a [u8]), &'static str> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let end = end.ok_or("it has no header")?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "its header is not text")?;
    let state = &bytes[end + 2..];
    let mut lines = head.split('\n');
    if lines.next() != Some(FORMAT) {
        return Err("its format is unknown");
    }
    let boot_id = value(lines.next(), "boot").ok_or("its header names no boot")?;
    let (name, version) = value(lines.next(), "module")
        .and_then(|value| value.split_once(' '))
        .ok_or("its header names no module")?;
    let length = value(lines.next(), "length").and_then(|value| value.parse().ok());
    let sum = value(lines.next(), "checksum").and_then(|value| u64::from_str_radix(value, 16).ok());
    if name != module {
        return Err("it belongs to another module");
    }
    if length != Some(state.len()) || state.len() > MAX_STATE {
        return Err("its length is not the one in its header");
    }
    if sum != Some(checksum(state)) {
        return Err("its checksum is wrong");
    }
    let stamp = Stamp {
        boot_id: boot_id.to_owned(),
        version: version.to_owned(),
    };
    Ok((stamp, state))
}

/// FNV-1a: enough against a disk that is worn out, and against an editor.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use proptest::prelude::*;

    use super::*;

    fn stamp() -> Stamp {
        Stamp {
            boot_id: "6f2b7f6c".to_owned(),
            version: "0.1.0 beta".to_owned(),
        }
    }

    #[test]
    fn what_was_written_is_found_and_only_its_owner_may_read_it() {
        let home = tempfile::tempdir().unwrap();
        let state_dir = home.path().join("state");

        assert_eq!(read(&state_dir, "memleak").unwrap(), Found::Nothing);
        for state in [b"one\n\n".to_vec(), vec![255; MAX_STATE]] {
            write(&state_dir, "memleak", &stamp(), &state).unwrap();
            assert_eq!(
                read(&state_dir, "memleak").unwrap(),
                Found::State(stamp(), state)
            );
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = path(&state_dir, "memleak");
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn no_state_is_no_file() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "memleak", &stamp(), b"").unwrap();
        write(home.path(), "memleak", &stamp(), b"one").unwrap();
        write(home.path(), "memleak", &stamp(), b"").unwrap();

        assert_eq!(read(home.path(), "memleak").unwrap(), Found::Nothing);
    }

    #[test]
    fn what_is_something_else_is_broken() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "one", &stamp(), b"state").unwrap();
        fs::rename(path(home.path(), "one"), path(home.path(), "two")).unwrap();
        symlink("/etc/passwd", path(home.path(), "link")).unwrap();

        let of_another = Found::Broken("it belongs to another module");
        assert_eq!(read(home.path(), "two").unwrap(), of_another);
        assert_eq!(
            read(home.path(), "link").unwrap(),
            Found::Broken("it is not a state file")
        );

        let mut bytes = head("one", &stamp(), b"state").into_bytes();
        bytes.extend(b"stage");
        assert_eq!(parse("one", &bytes), Err("its checksum is wrong"));
        assert_eq!(
            parse("one", &bytes[..bytes.len() - 1]),
            Err("its length is not the one in its header")
        );
        assert_eq!(parse("one", b""), Err("it has no header"));
        assert_eq!(
            parse("one", b"adaptivemm-state 2\n\n"),
            Err("its format is unknown")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_and_any_change_is_seen(
            state in prop::collection::vec(any::<u8>(), 1..200),
            noise in prop::collection::vec(any::<u8>(), 0..300),
            place: prop::sample::Index,
            bit in 0_u8..8,
        ) {
            let _ = parse("one", &noise);
            let mut bytes = head("one", &stamp(), &state).into_bytes();
            let start = bytes.len();
            bytes.extend(&state);
            prop_assert_eq!(parse("one", &bytes), Ok((stamp(), &state[..])));

            bytes[start + place.index(state.len())] ^= 1 << bit;
            prop_assert!(parse("one", &bytes).is_err());
        }
    }
}
