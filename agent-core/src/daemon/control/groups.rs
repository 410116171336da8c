//! The groups of a client, as the kernel knew them when it connected: a process may have many, and another may have its number
//! by the time that `/proc` is asked.
#![expect(
    unsafe_code,
    reason = "getsockopt(2) of SO_PEERGROUPS fills a buffer, and rustix does not offer it"
)]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The group whose members may see whose memory it is.
const GROUP: &str = "adaptivemmd";
const FILE: &str = "/etc/group";
/// The most that is read of such a file, which is far shorter.
const LONGEST: u64 = 4 << 20;
/// The most groups that a process can have.
const MOST: usize = 65_536;

/// The number of our group; nothing if there is none, or it is root's own.
pub(super) fn ours() -> Option<u32> {
    let mut text = Vec::new();
    let file = File::open(FILE).ok()?;
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    number(&String::from_utf8_lossy(&text))
}

/// `name:password:number:modules`.
fn number(text: &str) -> Option<u32> {
    let mut lines = text.lines();
    lines.find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(GROUP);
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (is_it && number != 0).then_some(number)
    })
}

/// The supplementary groups of the client; an error on a kernel before 4.13.
pub(super) fn read(stream: &UnixStream) -> io::Result<Vec<u32>> {
    let mut groups = vec![0_u32; 64];
    loop {
        let bytes = groups.len() * size_of::<u32>();
        let mut length = libc::socklen_t::try_from(bytes).unwrap_or(libc::socklen_t::MAX);
        // SAFETY: the buffer has `length` bytes, and the kernel writes no more; both outlive the call.
        let result = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let needed = length as usize / size_of::<u32>();
        if result == 0 {
            groups.truncate(needed);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // ERANGE comes with the length that is needed.
        if error.raw_os_error() != Some(libc::ERANGE) || needed <= groups.len() || needed > MOST {
            return Err(error);
        }
        groups.resize(needed, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_group_is_known_by_its_name_and_never_that_of_root() {
        let text = "root:x:0:\nadaptivemmd-x:x:5:\nbroken\nadaptivemmd:x:971:joe,ann\n";

        assert_eq!(number(text), Some(971));
        assert_eq!(number("adaptivemmd:x:0:\n"), None);
        assert_eq!(number("adaptivemmd:x:-1:\n"), None);
        assert_eq!(number("root:x:0:adaptivemmd\n"), None);
    }

    #[test]
    fn the_groups_of_a_client_are_those_of_its_process() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let expected = rustix::process::getgroups().unwrap();
        let expected: Vec<u32> = expected.iter().map(|group| group.as_raw()).collect();

        assert_eq!(read(&ours).unwrap(), expected);
    }
}
