//! Checks the files that each module needs from the kernel, and the tunables that it may change.

use std::io;
use std::path::Path;

use adaptivemm_module_api::abi;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use super::check::Check;
use crate::config::{ModuleMode, ModuleSettings};
use crate::kernel::tunables;
use crate::kernel::{PRESSURE, Root};
use crate::modules::catalogue::Registration;

/// Checks one module.
pub(super) fn module_checks(
    root: &Root,
    module: &Registration,
    settings: &ModuleSettings,
) -> Vec<Check> {
    let name = module.name();
    if !settings.enabled {
        let remedy = format!("[modules.{name}] enabled = true");
        return vec![Check::note(name, "disabled").remedy(&remedy)];
    }
    let mut checks: Vec<Check> = Vec::new();
    if settings.mode == ModuleMode::Advise {
        let text = "it only logs what it would change";
        checks.push(Check::note(name, text).remedy(&format!("[modules.{name}] mode = \"active\"")));
    }
    let description = &module.description;
    let read: Vec<Check> = description
        .needs
        .iter()
        .filter_map(|path| unreadable(root, name, path))
        .collect();
    if read.is_empty() && !description.needs.is_empty() {
        let files = description.needs.join(", ");
        checks.push(Check::well(name, &format!("reads {files}")));
    }
    checks.extend(read);
    if settings.mode == ModuleMode::Active {
        let changes = changes(module, settings);
        checks.extend(changes.map(|change| change_check(root, name, change)));
    }
    checks
}

/// Returns the tunables that a module may change and the administrator allows.
pub(super) fn changes<'a>(
    module: &'a Registration,
    settings: &'a ModuleSettings,
) -> impl Iterator<Item = &'a str> {
    let allow = settings.allow.as_ref();
    let changes = module.description.writes.iter();
    changes
        .filter(move |change| allow.is_none_or(|allow| allow.contains(change)))
        .map(String::as_str)
}

/// The files by which something is changed, as on a live machine.
pub(super) fn files(root: &Root, change: &str) -> Vec<String> {
    const NODES: &str = "/sys/devices/system/node";
    if change != abi::ACTION_COMPACT_NODE {
        let knob = tunables::find(change);
        return knob.map(|knob| knob.path.to_owned()).into_iter().collect();
    }
    let names = root.list(NODES).unwrap_or_default().into_iter();
    let nodes = names.filter(|name| {
        let number = name.strip_prefix("node");
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    });
    let nodes: Vec<String> = nodes
        .map(|node| format!("{NODES}/{node}/compact"))
        .collect();
    if nodes.is_empty() {
        // A kernel without nodes compacts all memory at once.
        return vec!["/proc/sys/vm/compact_memory".to_owned()];
    }
    nodes
}

/// Returns why a module cannot read a file that it needs; nothing if it can.
fn unreadable(root: &Root, module: &str, path: &str) -> Option<Check> {
    let result = match path {
        abi::NEED_HUGEPAGES | abi::NEED_NODE_MEMINFO => match root.list(path) {
            Ok(names) if names.is_empty() => Err(io::ErrorKind::NotFound.into()),
            names => names.map(drop),
        },
        _ => root.read(path).map(drop),
    };
    let error = result.err()?;
    let is_missing = error.kind() == io::ErrorKind::NotFound
        || Errno::from_io_error(&error) == Some(Errno::OPNOTSUPP);
    let text = format!("cannot read {path}: {error}");
    Some(match (path, is_missing) {
        (PRESSURE, true) => {
            let text = format!("{text}; the time that programs wait for memory is unknown");
            Check::note(module, &text)
                .remedy("use a kernel with CONFIG_PSI, and psi=1 on its command line")
        }
        (_, true) => {
            let text = format!("{text}; what depends on it is left out");
            Check::note(module, &text)
                .remedy("nothing needs to be done; another kernel may have it")
        }
        (_, false) => {
            Check::problem(module, &text).remedy("run the daemon as root, outside of a container")
        }
    })
}

/// Checks that a module can change a tunable.
fn change_check(root: &Root, module: &str, change: &str) -> Check {
    if change == abi::ACTION_COMPACT_NODE {
        return compaction_check(root, module);
    }
    let Some(knob) = tunables::find(change) else {
        let text = format!("the daemon cannot change {change}");
        return Check::problem(module, &text)
            .remedy("install another version of the module or of the daemon");
    };
    let path = root.locate(knob.path).unwrap_or_else(|| knob.path.into());
    match can_write(&path) {
        Ok(()) => {
            let value = root.read(knob.path).unwrap_or_default();
            let value = String::from_utf8_lossy(&value).trim_end().to_owned();
            let (min, max) = (knob.min, knob.max);
            let text = format!("can change {change}, which is {value}, to {min} to {max}");
            let old = if change == "vm.watermark_scale_factor" {
                "; kernels before 5.18 take at most 1000"
            } else {
                ""
            };
            Check::well(module, &format!("{text}{old}"))
        }
        Err(Errno::NOENT) => {
            let text = format!("this kernel has no {change}: there is nothing to change");
            Check::note(module, &text).remedy("none: the module is idle")
        }
        Err(errno) => unwritable(module, &path, errno),
    }
}

/// Checks compaction: of a node if the kernel has nodes, else of the whole machine.
fn compaction_check(root: &Root, module: &str) -> Check {
    let paths = files(root, abi::ACTION_COMPACT_NODE);
    for path in &paths {
        let path = root.locate(path).unwrap_or_else(|| path.into());
        match can_write(&path) {
            Ok(()) => {}
            Err(Errno::NOENT) => {
                let text = format!("there is no {}: nothing can be compacted", path.display());
                return Check::note(module, &text).remedy("use a kernel with CONFIG_COMPACTION");
            }
            Err(errno) => return unwritable(module, &path, errno),
        }
    }
    Check::well(
        module,
        &format!("can compact memory, by {}", paths.join(", ")),
    )
}

pub(super) fn can_write(path: &Path) -> Result<(), Errno> {
    accessat(CWD, path, Access::WRITE_OK, AtFlags::empty())
}

pub(super) fn unwritable(subject: &str, path: &Path, errno: Errno) -> Check {
    let text = format!(
        "cannot write {}: {}",
        path.display(),
        io::Error::from(errno)
    );
    let remedy = match errno {
        Errno::ROFS => {
            "it is mounted read-only, as in a container or a unit without it in ReadWritePaths=: run the daemon on the \
             host, or add it there"
        }
        _ => "run the daemon as root",
    };
    Check::problem(subject, &text).remedy(remedy)
}
