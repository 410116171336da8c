//! The processes that hold a lock on a file, as the kernel tells in `/proc/locks`.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{major, minor};
use rustix::process::geteuid;

use crate::kernel::Root;

/// The processes that took the locks of a file. One that has ended since may have left its lock to its children.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holders(Vec<Holder>);

#[derive(Debug, PartialEq, Eq)]
struct Holder {
    pid: u32,
    /// Whoever started it, whatever it may do since; `None` if it has ended.
    uid: Option<u32>,
}

impl Holders {
    /// `None` if the kernel does not tell, or knows of none: they are in another PID namespace.
    pub(super) fn find(file: &File) -> Option<Self> {
        Self::find_in(&Root::live(), file).ok().flatten()
    }

    fn find_in(root: &Root, file: &File) -> io::Result<Option<Self>> {
        let metadata = file.metadata()?;
        let (device, inode) = (metadata.dev(), metadata.ino());
        let id = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
        let locks = root.read("/proc/locks")?;
        let locks = String::from_utf8_lossy(&locks);
        let pids = locks.lines().filter_map(|line| holder(line, &id));
        let holders: Vec<Holder> = pids
            .map(|pid| Holder {
                pid,
                uid: real_uid(root, pid),
            })
            .collect();
        Ok(Some(Self(holders)).filter(|holders| !holders.0.is_empty()))
    }

    /// Returns the holders that are alive.
    pub(super) fn pids(&self) -> Vec<u32> {
        let alive = self.0.iter().filter(|holder| holder.uid.is_some());
        alive.map(|holder| holder.pid).collect()
    }

    /// True if none of them is root or the user we are. Whoever has ended was no daemon: that ends with its lock.
    pub(super) fn are_all_strangers(&self) -> bool {
        let own = geteuid().as_raw();
        let mut uids = self.0.iter().filter_map(|holder| holder.uid);
        uids.all(|uid| uid != 0 && uid != own)
    }
}

/// The process that holds a lock on this file: `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`. Lines with `->` are of those
/// who wait.
fn holder(line: &str, id: &str) -> Option<u32> {
    let mut words = line.split_whitespace().skip(1);
    (words.next()? == "FLOCK").then_some(())?;
    let pid = words.nth(2)?.parse().ok();
    (words.next()? == id).then_some(pid)?
}

fn real_uid(root: &Root, pid: u32) -> Option<u32> {
    let status = root.read(&format!("/proc/{pid}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let mut lines = status.lines();
    // The first of four is the real one, which a program with the bit of set-user-ID does not change.
    let uids = lines.find_map(|line| line.strip_prefix("Uid:"))?;
    uids.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(file: &File) -> Root {
        let metadata = file.metadata().unwrap();
        let (device, inode) = (metadata.dev(), metadata.ino());
        let id = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
        let locks = format!(
            "1: FLOCK  ADVISORY  WRITE 11 {id} 0 EOF\n\
             1: -> FLOCK  ADVISORY  WRITE 12 {id} 0 EOF\n\
             2: POSIX  ADVISORY  WRITE 13 {id} 0 EOF\n\
             3: FLOCK  ADVISORY  READ 14 {id}1 0 EOF\n\
             4: FLOCK  ADVISORY  READ 15 {id} 0 EOF\n\
             5: FLOCK\n"
        );
        let files = [
            ("proc/locks", locks.as_str()),
            ("proc/11/status", "Name:\tsu\nUid:\t1000\t0\t0\t0\n"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        Root::Recorded(files.into())
    }

    #[test]
    fn the_kernel_tells_who_holds_a_file_and_who_started_him() {
        let file = tempfile::tempfile().unwrap();

        let holders = Holders::find_in(&machine(&file), &file).unwrap().unwrap();

        let expected = [(11, Some(1000)), (15, None)].map(|(pid, uid)| Holder { pid, uid });
        assert_eq!(holders, Holders(expected.into()));
        assert_eq!(
            (holders.pids(), holders.are_all_strangers()),
            (vec![11], true)
        );
    }

    #[test]
    fn root_and_ourselves_are_no_strangers() {
        for uid in [0, geteuid().as_raw()] {
            let uids = [Some(1000), Some(uid)];
            let holders = Holders(uids.map(|uid| Holder { pid: 1, uid }).into());

            assert!(!holders.are_all_strangers(), "{uid}");
        }
    }
}
