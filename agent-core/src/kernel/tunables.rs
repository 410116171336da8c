//! The table of everything that the daemon can change.

/// A number of the kernel that can be changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Knob {
    /// The name, as sysctl has it.
    pub name: &'static str,
    /// The path of its file.
    pub path: &'static str,
    /// The smallest value that we ever set.
    pub min: i64,
    /// The largest value that the kernel accepts today; an older one may refuse it, which is reported.
    pub max: i64,
}

/// All tunables. `fs.dentry-negative` of newer kernels is a switch, and not the limit of this name.
pub const KNOBS: [Knob; 3] = [
    // Fractions of 10 000 of managed memory (mm/page_alloc.c); at most 1000 before 5.18.
    Knob {
        name: "vm.watermark_scale_factor",
        path: "/proc/sys/vm/watermark_scale_factor",
        min: 1,
        max: 3000,
    },
    // Percent (fs/dcache.c); 0 would never free a dentry, so that is not ours to set.
    Knob {
        name: "vm.vfs_cache_pressure",
        path: "/proc/sys/vm/vfs_cache_pressure",
        min: 1,
        max: 1000,
    },
    // Thousandths of memory; on kernels of Oracle's UEK only.
    Knob {
        name: "fs.negative-dentry-limit",
        path: "/proc/sys/fs/negative-dentry-limit",
        min: 1,
        max: 100,
    },
];

/// The tunable of this name, if the daemon may ever change it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Knob> {
    KNOBS.iter().find(|knob| knob.name == name)
}

/// The tunable at this path, which may lack its leading slash.
#[must_use]
pub fn at(path: &str) -> Option<&'static Knob> {
    let path = path.trim_start_matches('/');
    let mut knobs = KNOBS.iter();
    knobs.find(|knob| knob.path.trim_start_matches('/') == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunable_is_found_by_the_name_that_sysctl_has_for_it() {
        for knob in &KNOBS {
            assert_eq!(
                knob.path,
                format!("/proc/sys/{}", knob.name.replace('.', "/"))
            );
            assert_eq!(find(knob.name), Some(knob));
            assert_eq!(
                [at(knob.path), at(&knob.path[1..])],
                [Some(knob), Some(knob)]
            );
        }
        assert_eq!(find("vm.swappiness"), None);
        assert_eq!(at("/proc/sys/vm/swappiness"), None);
    }
}
