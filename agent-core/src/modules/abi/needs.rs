//! Which kernel files a module can name. The daemon reads them with its own rights, in every scan, for as long as it runs:
//! so nothing outside of the kernel's file systems, nothing of a process, and no file whose reading blocks, takes something
//! away from others, acts, takes seconds, or tells secrets.

/// Why a file is not read for modules.
const BLOCKS: &str = "whose reading can block for ever";
const CONSUMES: &str = "whose reading takes away what others wait for";
const ACTS: &str = "whose reading changes the machine";
const SLOW: &str = "whose reading takes seconds on a large machine";
const SECRET: &str = "which holds secrets";
const HARDWARE: &str = "whose reading reaches into a device, which may hang";
const STATIC: &str = "which is the same in every scan";
const DEBUGGER: &str = "which belongs to whoever traces the kernel";

/// Directories of which no file is read.
const DIRECTORIES: [(&str, &str); 23] = [
    ("/proc/acpi", BLOCKS),
    ("/proc/bus/pci", HARDWARE),
    ("/proc/device-tree", SECRET),
    ("/proc/driver/nvram", HARDWARE),
    ("/proc/i8k", HARDWARE),
    ("/proc/sal", BLOCKS),
    // An automount point as a rule: looking is enough to make it mount something.
    ("/proc/sys/fs/binfmt_misc", ACTS),
    ("/proc/xen", BLOCKS),
    ("/sys/firmware", SECRET),
    ("/sys/fs/bpf", ACTS),
    ("/sys/fs/pstore", SECRET),
    ("/sys/fs/selinux", SECRET),
    ("/sys/fs/smackfs", SECRET),
    ("/sys/kernel/debug/apei", ACTS),
    ("/sys/kernel/debug/kernel_page_tables", SLOW),
    ("/sys/kernel/debug/page_tables", SLOW),
    ("/sys/kernel/debug/provoke-crash", ACTS),
    ("/sys/kernel/debug/tracing", DEBUGGER),
    // apparmor/revision blocks until a policy changes.
    ("/sys/kernel/security", BLOCKS),
    ("/sys/kernel/tracing", DEBUGGER),
    ("/sys/class/devcoredump", SECRET),
    // Reading hot_add makes a device.
    ("/sys/class/zram-control", ACTS),
    // May hold the seed of the random numbers.
    ("/sys/kernel/boot_params", SECRET),
];

/// Files by their last name, in whichever directory: the kernel has several ways to most of them.
const NAMES: [(&str, &str); 54] = [
    ("binary_bios_measurements", SLOW),
    ("binary_runtime_measurements", SLOW),
    ("config.gz", STATIC),
    ("daemon_active", ACTS),
    ("error_log", CONSUMES),
    ("ima_measurements", SLOW),
    ("kallsyms", SECRET),
    ("kcore", SECRET),
    ("kcov", DEBUGGER),
    ("keys", SECRET),
    ("kmsg", CONSUMES),
    ("kpagecgroup", SLOW),
    ("kpagecount", SLOW),
    ("kpageflags", SLOW),
    ("mb_groups", SLOW),
    ("nvmem", SECRET),
    ("eeprom", SECRET),
    ("otp", SECRET),
    ("page_owner", SLOW),
    // Reclaims the pages of graphics drivers.
    ("page_pool_shrink", ACTS),
    ("pagemap", SECRET),
    ("product_serial", SECRET),
    ("product_uuid", SECRET),
    ("board_serial", SECRET),
    ("chassis_serial", SECRET),
    // Summons a processor after the other.
    ("stat_refresh", ACTS),
    ("snapshot_raw", CONSUMES),
    ("trace_pipe", CONSUMES),
    ("trace_pipe_raw", CONSUMES),
    ("tlbflush", ACTS),
    ("vmcore", SECRET),
    // Waits until nothing keeps the machine awake.
    ("wakeup_count", BLOCKS),
    // The memory and the registers of a device.
    ("config", HARDWARE),
    ("registers", HARDWARE),
    ("rom", HARDWARE),
    ("vpd", HARDWARE),
    // Remote procedure calls to user space.
    ("channel", CONSUMES),
    ("event", CONSUMES),
    ("events", CONSUMES),
    // Clears the marks by which others see what is used.
    ("bitmap", ACTS),
    // Triggers.
    ("clear", ACTS),
    ("clear_refs", ACTS),
    ("drop_caches", ACTS),
    ("compact_memory", ACTS),
    ("sysrq-trigger", ACTS),
    ("hot_add", ACTS),
    ("i915_error_state", SECRET),
    ("kmemleak", SLOW),
    ("lru_gen", SLOW),
    ("lru_gen_full", SLOW),
    // Takes a second, and may hold the bus for as long.
    ("w1_slave", HARDWARE),
    // What was last said to a device of mlx5.
    ("out", HARDWARE),
    // How the kernel was started, which passwords are part of at times.
    ("cmdline", SECRET),
    ("userid", SECRET),
];

/// Directories by their name, in whichever directory: links into those above, and what is like them.
const LINKS: [(&str, &str); 4] = [
    ("auth", SECRET),
    ("firmware_node", SECRET),
    ("of_node", SECRET),
    ("pstore", SECRET),
];

/// Parts of a file's name below `/sys/kernel/debug` that say that its reading does something: amdgpu resets a graphics
/// processor when `amdgpu_gpu_recover` is read, and empties its memory with `amdgpu_evict_vram`.
const DEEDS: [&str; 11] = [
    "clear",
    "crash",
    "drop_caches",
    "evict",
    "forcewake",
    "inject",
    "panic",
    "recover",
    "reset",
    "shrink",
    "trigger",
];

/// Parts of a name that say what it holds.
const SECRETS: [&str; 6] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "-seed",
    "credential",
];

/// Makes sure that a file can be read for a module.
///
/// # Errors
///
/// Why it cannot, in a clause about the module.
pub(crate) fn check(path: &str) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("it needs {path:?}, {why}"));
    if path.contains(['*', '?', '[', ']', '{', '}']) {
        return refuse("and a need is no pattern: name each file by its whole path");
    }
    let Some(parts) = parts(path) else {
        return refuse("which is not the path of a file of the kernel below /proc or /sys");
    };
    if parts[0] == "proc" && is_process(parts[1]) {
        return refuse("which is of a process, and nothing of a process is read for modules");
    }
    match objection(path, &parts) {
        Some(why) => refuse(&format!("{why}: no module is given it")),
        None => Ok(()),
    }
}

/// The names of a path below `/proc` or `/sys`, at least two.
fn parts(path: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let is_name = |part: &&str| !["", ".", ".."].contains(part);
    let is_below = matches!(parts.first(), Some(&("proc" | "sys"))) && parts.len() > 1;
    (is_below && parts.iter().all(is_name)).then_some(parts)
}

/// The directory of a process leads to every file.
fn is_process(part: &str) -> bool {
    part.ends_with("self") || part.starts_with(|c: char| c.is_ascii_digit())
}

/// What speaks against reading a file.
fn objection(path: &str, parts: &[&str]) -> Option<&'static str> {
    let name = *parts.last()?;
    let is_in = |directory: &str| {
        let rest = path.strip_prefix(directory);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let directory = DIRECTORIES
        .iter()
        .find(|(directory, _)| is_in(directory))
        // What a bus is made of is a list that the kernel holds.
        .filter(|_| path != "/proc/bus/pci/devices");
    if let Some((_, why)) = directory {
        return Some(why);
    }
    if let Some((_, why)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(why);
    }
    let lower = name.to_ascii_lowercase();
    let is_key = lower == "key"
        || ["_key", "-key", "_keys", "-keys"]
            .iter()
            .any(|end| lower.ends_with(end));
    if is_key || SECRETS.iter().any(|part| lower.contains(part)) {
        return Some(SECRET);
    }
    if let Some((_, why)) = LINKS.iter().find(|(link, _)| parts.contains(link)) {
        return Some(why);
    }
    // What a device held when it failed, by whichever way.
    if parts.iter().any(|part| part.starts_with("devcd")) {
        return Some(SECRET);
    }
    // Addresses of the kernel.
    if parts.contains(&"sections") && parts.contains(&"module") {
        return Some(SECRET);
    }
    // What a device maps into memory, by number.
    let is_resource = name
        .strip_prefix("resource")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) || rest.is_empty());
    if is_resource && parts[0] == "sys" {
        return Some(HARDWARE);
    }
    if is_in("/sys/kernel/debug") {
        return debug_objection(parts, &lower);
    }
    None
}

fn debug_objection(parts: &[&str], name: &str) -> Option<&'static str> {
    let directories = &parts[..parts.len() - 1];
    if directories.contains(&"usbmon") {
        return Some(CONSUMES);
    }
    if directories.contains(&"regmap") {
        return Some(HARDWARE);
    }
    if directories.contains(&"crc") {
        return Some(BLOCKS);
    }
    // Relay channels: trace0, cpu12.
    let is_relay = ["trace", "cpu"].iter().any(|prefix| {
        let number = name.strip_prefix(prefix);
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    });
    if is_relay {
        return Some(CONSUMES);
    }
    // The state and the memory of graphics processors, which the driver reads from the device.
    if name.starts_with("amdgpu_") && !DEEDS.iter().any(|settled| name.contains(settled)) {
        return Some(HARDWARE);
    }
    if name.ends_with("_test_ib") || name.contains("_regs") || name == "regs" {
        return Some(HARDWARE);
    }
    let acts = DEEDS.iter().any(|settled| name.contains(settled));
    acts.then_some(ACTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: [(&str, &str); 69] = [
        ("/proc/kmsg", CONSUMES),
        ("/proc/kcore", SECRET),
        ("/proc/vmcore", SECRET),
        ("/proc/kpageflags", SLOW),
        ("/proc/kpagecount", SLOW),
        ("/proc/kpagecgroup", SLOW),
        ("/proc/kallsyms", SECRET),
        ("/proc/keys", SECRET),
        ("/proc/config.gz", STATIC),
        ("/proc/acpi/event", BLOCKS),
        ("/proc/xen/xenbus", BLOCKS),
        ("/proc/bus/pci/00/1f.0", HARDWARE),
        ("/proc/sysrq-trigger", ACTS),
        ("/proc/sys/vm/stat_refresh", ACTS),
        ("/proc/sys/vm/drop_caches", ACTS),
        ("/proc/sys/net/ipv4/tcp_fastopen_key", SECRET),
        ("/proc/sys/net/ipv6/conf/all/stable_secret", SECRET),
        ("/proc/sys/fs/binfmt_misc/status", ACTS),
        ("/proc/net/rpc/auth.unix.ip/channel", CONSUMES),
        ("/proc/fs/ext4/sda1/mb_groups", SLOW),
        ("/proc/ppc64/rtas/error_log", CONSUMES),
        ("/proc/device-tree/chosen/rng-seed", SECRET),
        ("/sys/firmware/acpi/tables/MSDM", SECRET),
        ("/sys/firmware/efi/efivars/x", SECRET),
        ("/sys/kernel/tracing/trace_pipe", DEBUGGER),
        ("/sys/kernel/tracing/per_cpu/cpu0/trace_pipe_raw", DEBUGGER),
        ("/sys/kernel/debug/tracing/trace", DEBUGGER),
        ("/sys/kernel/debug/block/sda/trace0", CONSUMES),
        ("/sys/kernel/debug/usb/usbmon/0u", CONSUMES),
        ("/sys/kernel/debug/dri/0/amdgpu_gpu_recover", ACTS),
        ("/sys/kernel/debug/dri/0/amdgpu_evict_vram", ACTS),
        ("/sys/kernel/debug/dri/0/crtc-0/crc/data", BLOCKS),
        ("/sys/kernel/debug/regmap/x/registers", HARDWARE),
        ("/sys/kernel/debug/ttm/page_pool_shrink", ACTS),
        ("/sys/kernel/debug/provoke-crash/DIRECT", ACTS),
        ("/sys/kernel/debug/ras/daemon_active", ACTS),
        ("/sys/kernel/debug/mydrv/clear", ACTS),
        ("/sys/kernel/debug/page_owner", SLOW),
        ("/sys/kernel/debug/kernel_page_tables", SLOW),
        ("/sys/kernel/mm/page_idle/bitmap", ACTS),
        ("/sys/kernel/security/apparmor/revision", BLOCKS),
        ("/sys/power/wakeup_count", BLOCKS),
        ("/sys/bus/pci/devices/0000:00:1f.0/config", HARDWARE),
        ("/sys/bus/pci/devices/0000:00:1f.0/resource0", HARDWARE),
        ("/sys/bus/pci/devices/0000:00:1f.0/vpd", HARDWARE),
        ("/sys/module/ext4/sections/.text", SECRET),
        ("/sys/class/dmi/id/product_uuid", SECRET),
        ("/sys/class/nvme/nvme0/dhchap_secret", SECRET),
        ("/sys/class/devcoredump/devcd1/data", SECRET),
        ("/sys/fs/pstore/dmesg-efi-1", SECRET),
        ("/sys/fs/bpf/iterator", ACTS),
        ("/sys/class/zram-control/hot_add", ACTS),
        ("/sys/devices/virtual/misc/zram-control/hot_add", ACTS),
        ("/sys/kernel/debug/bluetooth/hci0/link_keys", SECRET),
        (
            "/sys/kernel/debug/bluetooth/hci0/identity_resolving_keys",
            SECRET,
        ),
        ("/sys/devices/virtual/devcoredump/devcd1/data", SECRET),
        ("/sys/kernel/debug/dri/0/i915_error_state", SECRET),
        ("/sys/kernel/debug/dri/0/amdgpu_vram", HARDWARE),
        ("/sys/kernel/debug/dri/0/amdgpu_ring_gfx", HARDWARE),
        ("/sys/kernel/debug/hisi_zip/x/regs", HARDWARE),
        ("/sys/kernel/debug/kmemleak", SLOW),
        ("/sys/kernel/debug/lru_gen", SLOW),
        ("/sys/kernel/boot_params/setup_data/0/data", SECRET),
        ("/sys/kernel/config/target/iscsi/x/auth/userid", SECRET),
        ("/sys/devices/platform/efuse/of_node/reg", SECRET),
        ("/sys/devices/pnp0/00:01/firmware_node/hid", SECRET),
        ("/sys/bus/w1/devices/28-0/w1_slave", HARDWARE),
        ("/proc/driver/nvram", HARDWARE),
        ("/proc/cmdline", SECRET),
    ];

    #[track_caller]
    fn reason(path: &str) -> String {
        check(path).unwrap_err()
    }

    #[test]
    fn what_blocks_consumes_acts_takes_long_or_is_secret_is_refused_with_the_reason() {
        for (path, why) in REFUSED {
            let expected = format!("it needs {path:?}, {why}: no module is given it");
            assert_eq!(check(path), Err(expected));
        }
    }

    #[test]
    fn what_modules_are_made_for_is_not() {
        for path in [
            "/proc/meminfo",
            "/proc/loadavg",
            "/proc/slabinfo",
            "/proc/vmallocinfo",
            "/proc/pagetypeinfo",
            "/proc/key-users",
            "/proc/net/sockstat",
            "/proc/pressure/memory",
            "/proc/spl/kstat/zfs/arcstats",
            "/proc/sys/vm/swappiness",
            "/proc/bus/pci/devices",
            "/sys/block/zram0/mm_stat",
            "/sys/devices/system/node",
            "/sys/fs/cgroup/system.slice/memory.events",
            "/sys/fs/cgroup/memory.stat",
            "/sys/kernel/mm/hugepages",
            "/sys/kernel/mm/ksm/pages_sharing",
            "/sys/kernel/mm/transparent_hugepage/enabled",
            "/sys/kernel/debug/mydrv/buffers",
            "/sys/kernel/debug/zsmalloc/zram0/classes",
            "/sys/kernel/slab/dentry/objects",
            "/sys/module/zswap/parameters/max_pool_percent",
        ] {
            assert_eq!(check(path), Ok(()));
        }
    }

    #[test]
    fn a_need_is_the_path_of_one_file_of_the_kernel() {
        for path in [
            "/sys/block/zram*/mm_stat",
            "/sys/block/zram?/mm_stat",
            "/sys/block/zram[01]/mm_stat",
            "/sys/block/zram{0,1}/mm_stat",
        ] {
            assert!(
                reason(path)
                    .ends_with("and a need is no pattern: name each file by its whole path")
            );
        }
        for path in [
            "/proc/self/status",
            "/proc/thread-self/io",
            "/proc/1/environ",
        ] {
            assert!(
                reason(path).contains("which is of a process"),
                "{}",
                reason(path)
            );
        }
        for path in [
            "/etc/shadow",
            "/proc",
            "/sys",
            "/proc/",
            "/proc/../etc/shadow",
            "proc/stat",
            "/sys//x",
            "",
        ] {
            assert!(
                reason(path).contains("not the path of a file of the kernel"),
                "{path}"
            );
        }
    }
}
