//! Checks the sources that say who holds memory that a leak has taken, as evidence is really taken, and whether the service may
//! look into programs, which root at this terminal may in any case.

use std::path::Path;

use adaptivemm_module_api::units::PageSize;
use serde_json::json;

use super::check::Check;
use crate::base::clock;
use crate::base::clock::Moment;
use crate::config::Core;
use crate::daemon::control::call;
use crate::incidents::evidence::{
    Evidence, EvidenceRequest, SourceKind, SourceReport, SourceStatus, Trigger,
};
use crate::kernel::Root;

const SUBJECT: &str = "evidence";
/// The capability with which one may see what programs of others have open, by its number and in units.
const PTRACE: (u32, &str) = (19, "CAP_SYS_PTRACE");
const UNIT: &str = "adaptivemmd.service";
/// The directories of units, the one with the highest precedence first.
const UNITS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// The places where packages put the file that gives the service the capability.
const EXAMPLES: [&str; 2] = [
    "/usr/share/doc/adaptivemm/examples/holders.conf",
    "/usr/share/doc/adaptivemm/holders.conf",
];

/// Checks each source of evidence, read as the daemon reads it.
pub(super) fn checks(root: &Root, core: &Core) -> Vec<Check> {
    let page_bytes = u64::try_from(rustix::param::page_size()).unwrap_or_default();
    let uptime = clock::uptime().0.as_millis();
    let request = EvidenceRequest {
        root,
        page_size: PageSize::new(page_bytes).unwrap_or(PageSize::FOUR_KIB),
        at: Moment {
            time: clock::time_of_day().to_string(),
            uptime_ms: u64::try_from(uptime).unwrap_or(u64::MAX),
        },
        why: Trigger::Routine,
        levels: Vec::new(),
        budget: core.evidence_budget,
        // It takes seconds; whether its file is there is asked below.
        wants_census: false,
    };
    let (evidence, _) = Evidence::take(&request);
    let sources = evidence.sources.iter().map(|seen| source(root, seen));
    sources
        .chain([census(root, core)])
        .chain(service(root, &core.runtime_dir))
        .collect()
}

fn source(root: &Root, seen: &SourceReport) -> Check {
    let (file, tells) = (seen.kind.file(), seen.kind.tells());
    match &seen.standing {
        SourceStatus::Read => {
            Check::well(SUBJECT, &format!("{file} says who holds memory: {tells}"))
        }
        SourceStatus::Cut { why } => {
            let text =
                format!("{file} says who holds memory: {tells}; not all of it was read: {why}");
            Check::well(SUBJECT, &text)
        }
        SourceStatus::Absent { why } => {
            Check::note(SUBJECT, &format!("no {file}; it would show {tells}"))
                .remedy(&format!("none, unless with another kernel: {why}"))
        }
        SourceStatus::Failed { why } => {
            Check::note(SUBJECT, &format!("cannot parse {file}: {why}")).remedy("report it")
        }
        SourceStatus::Denied { why } => {
            let text = format!("cannot read all of {file}: {why}");
            let check = Check::note(SUBJECT, &text);
            if why.contains("holders.conf") {
                check.remedy(&format!(
                    "run it as root; for the service, {}",
                    copying(root)
                ))
            } else {
                check
            }
        }
    }
}

/// The count of all pages takes long, so that here only its file is looked for.
fn census(root: &Root, core: &Core) -> Check {
    let (file, tells) = (SourceKind::Census.file(), SourceKind::Census.tells());
    if !core.incident_census {
        return Check::note(SUBJECT, &format!("{file} is not read: {tells}"))
            .remedy("`incident-census = true` in [core]");
    }
    if root.locate(file).is_some_and(|path| path.exists()) {
        return Check::well(SUBJECT, &format!("{file} says who holds memory: {tells}"));
    }
    Check::note(SUBJECT, &format!("no {file}; it would show {tells}"))
        .remedy("use a kernel with CONFIG_PROC_PAGE_MONITOR")
}

/// Checks if the service has the capability that root has here: its process tells, or else its unit.
fn service(root: &Root, runtime_dir: &Path) -> Option<Check> {
    let may_look = running(runtime_dir)
        .and_then(|pid| capabilities(root, pid))
        .or_else(|| granted_by_unit(root))?;
    if may_look {
        return Some(Check::well(SUBJECT, "the service may look into programs"));
    }
    let text = format!(
        "the service may not look into programs, as it has no {}: its reports cannot name who holds pipes, sockets, packet \
         rings, BPF maps and page tables. Run by root, `adaptivemmd incidents show` looks who holds them now",
        PTRACE.1
    );
    let remedy = format!("if the reports are to name them, too: {}", copying(root));
    Some(Check::note(SUBJECT, &text).remedy(&remedy))
}

/// The process of the daemon.
fn running(runtime_dir: &Path) -> Option<u64> {
    call(runtime_dir, "Status", &json!({})).ok()?["pid"].as_u64()
}

/// Returns true if a process has the capability.
fn capabilities(root: &Root, pid: u64) -> Option<bool> {
    if !root.is_live() {
        return None;
    }
    let status = root.read(&format!("/proc/{pid}/status")).ok()?;
    has_ptrace(&String::from_utf8_lossy(&status))
}

/// `CapEff:` has a bit for each.
fn has_ptrace(status: &str) -> Option<bool> {
    let mut lines = status.lines();
    let set = lines.find_map(|line| line.strip_prefix("CapEff:"))?;
    let set = u64::from_str_radix(set.trim(), 16).ok()?;
    Some(set >> PTRACE.0 & 1 == 1)
}

/// Returns true if the unit grants the capability; nothing if there is no unit, or one that does not say. Later files add to
/// what earlier ones name.
fn granted_by_unit(root: &Root) -> Option<bool> {
    let unit = UNITS
        .iter()
        .find_map(|place| root.read(&format!("{place}/{UNIT}")).ok())?;
    let mut texts = vec![unit];
    for place in UNITS.iter().rev() {
        let directory = format!("{place}/{UNIT}.d");
        let names = root.list(&directory).unwrap_or_default();
        let drop_ins = names
            .iter()
            .filter(|name| name.strip_suffix(".conf").is_some());
        texts.extend(drop_ins.filter_map(|name| root.read(&format!("{directory}/{name}")).ok()));
    }
    let (mut is_limited, mut has_it) = (false, false);
    for text in &texts {
        for line in String::from_utf8_lossy(text).lines() {
            if let Some(names) = line.trim().strip_prefix("CapabilityBoundingSet=") {
                is_limited = true;
                has_it = !names.is_empty() && (has_it || names.contains(PTRACE.1));
            }
        }
    }
    is_limited.then_some(has_it)
}

/// The commands that give it the capability.
fn copying(root: &Root) -> String {
    let there = EXAMPLES.iter().find(|path| root.read(path).is_ok());
    let example = there.unwrap_or(&EXAMPLES[0]);
    let directory = format!("/etc/systemd/system/{UNIT}.d");
    format!(
        "`mkdir -p {directory} && cp {example} {directory}/ && systemctl daemon-reload && systemctl restart adaptivemmd`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CommandLine, Sources, load};
    use crate::kernel::Recorded;

    const SHIPPED: &str = include_str!("../../../../conf/systemd/adaptivemmd.service");
    const HOLDERS: &str = include_str!("../../../../conf/systemd/holders.conf");

    fn machine(files: &[(&str, &str)]) -> Root {
        let files = files.iter();
        let recorded: Recorded = files
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        Root::Recorded(recorded)
    }

    #[test]
    fn the_unit_as_shipped_may_not_look_into_programs_and_with_holders_it_may() {
        let shipped = ("usr/lib/systemd/system/adaptivemmd.service", SHIPPED);
        let holders = (
            "etc/systemd/system/adaptivemmd.service.d/holders.conf",
            HOLDERS,
        );

        assert_eq!(granted_by_unit(&machine(&[shipped])), Some(false));
        assert_eq!(granted_by_unit(&machine(&[shipped, holders])), Some(true));
        assert_eq!(granted_by_unit(&machine(&[])), None);
        let ours = (
            "etc/systemd/system/adaptivemmd.service",
            "[Service]\nUser=root\n",
        );
        assert_eq!(granted_by_unit(&machine(&[ours, shipped])), None);
    }

    #[test]
    fn a_process_says_what_it_may() {
        assert_eq!(
            has_ptrace("CapPrm:\t0\nCapEff:\t000001ffffffffff\n"),
            Some(true)
        );
        assert_eq!(has_ptrace("CapEff:\t0000000000080000\n"), Some(true));
        assert_eq!(has_ptrace("CapEff:\t0000000000000000\n"), Some(false));
        assert_eq!(has_ptrace("CapEff:\tx\n"), None);
    }

    #[test]
    fn every_source_is_told_and_the_service_that_may_not_look_is_given_a_remedy() {
        let shipped = ("lib/systemd/system/adaptivemmd.service", SHIPPED);
        let nothing = Sources {
            root: "/nowhere/at/all".into(),
            file: None,
            drop_in: None,
            command_line: CommandLine::default(),
        };
        let mut core = load(&nothing, &[]).settings.core;
        core.runtime_dir = "/nowhere/at/all".into();
        let checks = checks(&machine(&[shipped]), &core);

        let texts: String = checks.iter().map(Check::to_string).collect();
        assert!(
            texts.contains("no /sys/kernel/debug/page_owner_stacks"),
            "{texts}"
        );
        assert!(
            texts.contains("the service may not look into programs"),
            "{texts}"
        );
        assert!(
            texts.contains("cp /usr/share/doc/adaptivemm/examples/holders.conf"),
            "{texts}"
        );
    }
}
