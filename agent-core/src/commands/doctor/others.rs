//! Finds other programs that change what the daemon changes, or react to the same shortage.

use std::path::Path;

use crate::kernel::Root;
use crate::kernel::tunables;

use super::check::Check;

/// The directories where `systemd-sysctl` and `sysctl --system` read values, and the old file.
const SETTINGS: [&str; 5] = [
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/etc",
];

/// Programs by the names of their processes, and what there is to know.
const PROGRAMS: [(&str, &str); 8] = [
    (
        "tuned",
        "its profiles may set the same tunables, which counts as an external change",
    ),
    (
        "earlyoom",
        "it ends programs when memory is short, which adaptivemmd wants to prevent; both can run",
    ),
    (
        "nohang",
        "it ends programs when memory is short, which adaptivemmd wants to prevent; both can run",
    ),
    (
        "oomd",
        "it ends programs when memory is short, which adaptivemmd wants to prevent; both can run",
    ),
    (
        "systemd-oomd",
        "it ends programs when memory is short, which adaptivemmd wants to prevent; both can run",
    ),
    (
        "bpftune",
        "it may set the same tunables, which counts as an external change",
    ),
    (
        "numad",
        "it moves memory between nodes, which compaction may undo; both can run",
    ),
    (
        "ksmtuned",
        "it changes how much memory is shared; both can run",
    ),
];

pub(super) fn checks(root: &Root) -> Vec<Check> {
    let mut checks = programs(root);
    checks.extend(settings(root));
    if checks.is_empty() {
        let text = "no known program or file sets the same tunables";
        checks.push(Check::well("others", text));
    }
    checks
}

fn programs(root: &Root) -> Vec<Check> {
    let processes = root.list("/proc").unwrap_or_default().into_iter();
    let processes = processes.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let mut checks = Vec::new();
    for process in processes {
        // It may have ended.
        let comm = root
            .read(&format!("/proc/{process}/comm"))
            .unwrap_or_default();
        let comm = String::from_utf8_lossy(&comm);
        let known = PROGRAMS.iter().find(|(name, _)| *name == comm.trim_end());
        if let Some((name, what)) = known {
            let text = format!("{name} is running as process {process}: {what}");
            checks.push(Check::note("others", &text));
        }
    }
    checks
}

/// Files that set a tunable which modules may change: at start that is its original value, later it is somebody
/// else's.
fn settings(root: &Root) -> Vec<Check> {
    let mut checks = Vec::new();
    for directory in SETTINGS {
        for name in root.list(directory).unwrap_or_default() {
            let is_meant = if directory == "/etc" {
                name == "sysctl.conf"
            } else {
                Path::new(&name)
                    .extension()
                    .is_some_and(|end| end == "conf")
            };
            let path = format!("{directory}/{name}");
            let text = if is_meant { root.read(&path) } else { continue };
            let text = text.unwrap_or_default();
            for (number, line) in (1..).zip(String::from_utf8_lossy(&text).lines()) {
                if let Some((tunable, value)) = setting(line) {
                    let text = format!("{path}:{number} sets {tunable} to {value}");
                    let remedy = "it is the original value if it was set before the daemon started; set later, the \
                                  tunable is paused until `adaptivemmd resume`";
                    checks.push(Check::note("others", &text).remedy(remedy));
                }
            }
        }
    }
    checks
}

/// A line of sysctl.d(5), if it is about a tunable of ours: its name, and the value.
fn setting(line: &str) -> Option<(&'static str, &str)> {
    let (name, value) = line.trim_start_matches([' ', '\t', '-']).split_once('=')?;
    let name = name.trim().replace('/', ".");
    let knob = tunables::find(&name)?;
    Some((knob.name, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_however_it_is_written() {
        let found = [
            "vm.watermark_scale_factor = 100",
            "  -vm/vfs_cache_pressure=50 ",
            "# vm.watermark_scale_factor = 1",
            "vm.swappiness = 10",
            "",
        ]
        .map(setting);

        assert_eq!(
            found,
            [
                Some(("vm.watermark_scale_factor", "100")),
                Some(("vm.vfs_cache_pressure", "50")),
                None,
                None,
                None
            ]
        );
    }
}
