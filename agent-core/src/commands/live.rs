//! A look at who holds memory now, for an incident that is open. Root at a terminal has rights that the service has not: it
//! sees what programs have open. Nothing is written.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use adaptivemm_module_api::units::PageSize;
use rustix::process::geteuid;
use serde_json::{Value, json};

use super::boot;
use crate::base::clock;
use crate::base::clock::Moment;
use crate::config::EvidenceBudget;
use crate::incidents::evidence::{Evidence, EvidenceRequest, Now, Trigger};
use crate::incidents::{Archive, Incident};
use crate::kernel::Root;
use crate::report::classes;

/// The CPU time that a look may take. That of the daemon is far shorter, as nobody waits for it.
const BUDGET: Duration = Duration::from_secs(2);
/// A kernel that stalls does not keep anybody waiting for longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The result of a look.
#[derive(Debug)]
pub(super) enum Look {
    /// The holders were found.
    Seen(Now),
    /// It was given up.
    TooLong,
}

/// Looks, if it is root who asks and the incident is still open in this boot.
pub(super) fn look(root: &Root, archive: &Archive, incident: &Incident) -> Option<Look> {
    if !geteuid().is_root() || incident.over.is_some() {
        return None;
    }
    if boot(root)? != incident.machine.boot_id {
        return None;
    }
    let page_size = PageSize::new(incident.machine.page_size_bytes)?;
    let (tell, told) = mpsc::channel();
    let theirs = root.clone();
    let looks = thread::Builder::new().spawn(move || {
        // Nobody listens any more if it took too long.
        let _late = tell.send(take(&theirs, page_size));
    });
    let evidence = looks.ok().and_then(|_| told.recv_timeout(PATIENCE).ok());
    let Some(evidence) = evidence else {
        return Some(Look::TooLong);
    };
    let before = archive.evidence_before(&incident.id);
    Some(Look::Seen(Now::from_evidence(
        before.as_ref(),
        &evidence,
        &classes(incident),
    )))
}

fn take(root: &Root, page_size: PageSize) -> Evidence {
    let at = Moment {
        time: clock::time_of_day().to_string(),
        uptime_ms: u64::try_from(clock::uptime().0.as_millis()).unwrap_or(u64::MAX),
    };
    let request = EvidenceRequest {
        root,
        page_size,
        at,
        // No texts are kept.
        why: Trigger::Routine,
        levels: Vec::new(),
        budget: EvidenceBudget::from_cpu_time(BUDGET),
        wants_census: false,
    };
    Evidence::take(&request).0
}

impl Look {
    /// Returns it as JSON for programs.
    pub(super) fn object(&self) -> Value {
        match self {
            Self::Seen(now) => json!(now),
            Self::TooLong => json!({ "problem": problem() }),
        }
    }

    /// Returns the largest holder, in a line.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Seen(now) => match now.holders.first() {
                Some(holder) => crate::report::holder(holder),
                None => "no holder found".to_owned(),
            },
            Self::TooLong => problem(),
        }
    }

    /// The section of a report.
    pub(super) fn text(&self, width: usize) -> String {
        match self {
            Self::Seen(now) => crate::report::now(now, width),
            Self::TooLong => format!("\n{}\n", problem()),
        }
    }
}

fn problem() -> String {
    format!(
        "looking for its holders was given up after {} s",
        PATIENCE.as_secs()
    )
}
