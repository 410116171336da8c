//! Files that modules may name and that the core reads itself: the kernel prints each of them from numbers that it has at
//! hand, in microseconds, without waiting for anybody.

/// The single files.
const FILES: [&str; 9] = [
    "/proc/loadavg",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/fs/dentry-state",
    "/proc/sys/fs/file-nr",
    "/proc/sys/fs/inode-nr",
    "/proc/sys/fs/inode-state",
    "/proc/uptime",
    "/proc/version",
];

/// The directories, with all files in them.
const DIRECTORIES: [&str; 3] = [
    "/proc/pressure/",
    "/proc/sys/vm/",
    "/sys/kernel/mm/transparent_hugepage/",
];

/// True if the core reads the file itself. Any file that is not known is read by a thread, which may hang.
pub(super) fn is_harmless(path: &str) -> bool {
    FILES.contains(&path)
        || DIRECTORIES
            .iter()
            .any(|directory| path.starts_with(directory))
}
