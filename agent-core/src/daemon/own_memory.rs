//! What the daemon itself takes of memory: the code that only its start needs is let go of.
#![expect(
    unsafe_code,
    reason = "tells the kernel which pages of the program need not be mapped"
)]

use std::io;
use std::path::Path;

use rustix::mm::{Advice, madvise};

use crate::base::files;

/// The longest list of mappings that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Unmaps the code of the program. What runs is mapped again out of the page cache when it is next called; what ran only
/// once, such as the command line, the configuration and the look into modules, is not.
///
/// # Errors
///
/// If `/proc/self/maps` cannot be read.
pub(crate) fn let_go_of_code() -> io::Result<()> {
    let maps = files::read(Path::new("/proc/self/maps"), LONGEST)?;
    let program = std::env::current_exe()?;
    let maps = String::from_utf8_lossy(&maps);
    for (start, length) in maps.lines().filter_map(|line| code(line, &program)) {
        // SAFETY: our code is built without relocations in it, so that its pages hold what the file holds, and are read
        // from there again when they are next touched.
        let _stays_mapped = unsafe { madvise(start as *mut _, length, Advice::LinuxDontNeed) };
    }
    Ok(())
}

/// Where code is, and how long, in a line such as `55d0c0-55d0f0 r-xp 00001000 fe:00 1234 /usr/sbin/adaptivemmd`.
fn code(line: &str, program: &Path) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    if fields.next()? != "r-xp" || Path::new(fields.nth(3)?) != program {
        return None;
    }
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    Some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_the_program_is_let_go_of() {
        let mapped = [
            "1000-3000 r-xp 00001000 fe:00 1234                       /usr/sbin/adaptivemmd",
            "3000-4000 r--p 00003000 fe:00 1234                       /usr/sbin/adaptivemmd",
            "4000-5000 rw-p 00000000 00:00 0                          [heap]",
            "7000-8000 r-xp 00000000 00:00 0                          [vdso]",
            "8000-9000 r-xp 00001000 fe:00 1235                       /usr/lib/libc.so.6",
            "nonsense",
        ];

        assert_eq!(
            mapped.map(|line| code(line, Path::new("/usr/sbin/adaptivemmd"))),
            [Some((0x1000, 0x2000)), None, None, None, None, None]
        );
    }

    #[test]
    fn the_program_runs_on_without_its_code_mapped() {
        let_go_of_code().unwrap();

        assert_eq!((1..=10).sum::<u32>(), 55);
    }
}
