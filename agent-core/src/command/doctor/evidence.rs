//! What a report of a leak can be about: each source of evidence, asked as the daemon asks it.

use adaptivemm_module_api::units::PageSize;

use super::check::Check;
use crate::clock;
use crate::config::Core;
use crate::evidence::{Evidence, Kind, Request, Standing, Why};
use crate::incidents::Moment;
use crate::sampler::Root;

pub(super) fn checks(root: &Root, core: &Core) -> Vec<Check> {
    let uptime = clock::uptime().0.as_millis();
    let at = Moment {
        time: clock::time_of_day().to_string(),
        uptime_ms: u64::try_from(uptime).unwrap_or(u64::MAX),
    };
    let page_bytes = u64::try_from(rustix::param::page_size()).unwrap_or_default();
    let (evidence, _) = Evidence::take(&Request {
        root,
        page_size: PageSize::new(page_bytes).unwrap_or(PageSize::FOUR_KIB),
        at,
        why: Why::Routine,
        levels: Vec::new(),
        budget: core.evidence_budget,
        // It takes seconds, and reads a file of which Kind::Processes and others say enough.
        wants_census: false,
    });
    let mut checks = Vec::new();
    for kind in Kind::ALL {
        let seen = evidence.sources.iter().find(|seen| seen.kind == kind);
        checks.push(match seen {
            Some(seen) => check(kind, &seen.standing),
            None => census(root, core),
        });
    }
    checks
}

fn check(kind: Kind, standing: &Standing) -> Check {
    let (file, tells) = (kind.file(), kind.tells());
    match standing {
        Standing::Read => Check::well("evidence", &format!("{file}: {tells}")),
        Standing::Cut { why } => {
            let text = format!("{file}: {tells}, not all of it: {why}");
            Check::well("evidence", &text)
        }
        Standing::Absent { why } => {
            let text = format!("no {file}, so {tells} cannot be told");
            Check::note("evidence", &text).remedy(why)
        }
        Standing::Failed { why } => {
            let text = format!("cannot read {file}, so {tells} cannot be told: {why}");
            Check::note("evidence", &text).remedy("ask again as root, on the host")
        }
    }
}

/// The count of all pages is not made here, as it takes long: whether its file is there is all that is asked.
fn census(root: &Root, core: &Core) -> Check {
    let (file, tells) = (Kind::Census.file(), Kind::Census.tells());
    if !core.incident_census {
        let text = format!("{file} is not read: {tells}");
        return Check::note("evidence", &text).remedy("`incident-census = true` in [core]");
    }
    let is_there = root.locate(file).is_some_and(|path| path.exists());
    check(
        Kind::Census,
        &if is_there {
            Standing::Read
        } else {
            let why = "a kernel with CONFIG_PROC_PAGE_MONITOR has it".to_owned();
            Standing::Absent { why }
        },
    )
}
