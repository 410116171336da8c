//! Asks each source in turn, the cheap and the decisive ones first.

use std::time::Duration;

use super::budget::{Halt, Spent};
use super::comparison::SourceStatus;
use super::holdings::Holdings;
use super::kind::SourceKind;
use super::meter::{Meter, Refusals};
use super::processes::{self, Processes};
use super::request::{EvidenceRequest, SourceReport, micros};
use super::zram;
use super::{
    allocinfo, census, cma, dma_buf, page_owner, services, slabinfo, sockets, vmallocinfo,
};

/// The time that the census may take, when it is asked for: enough for a machine of some TB.
const CENSUS: Duration = Duration::from_secs(300);

/// The remedy for a look that was refused.
pub(super) const RIGHTS: &str = "run by root, `adaptivemmd incidents show` may look; holders.conf lets the service do so, \
                                 see CAVEATS in adaptivemmd(8)";

/// Asks all sources.
pub(super) fn all(meter: &mut Meter<'_>, request: &EvidenceRequest<'_>) -> Vec<SourceReport> {
    let size = request.page_size;
    let mut asked = Asked {
        meter,
        sources: Vec::new(),
    };
    asked.ask(SourceKind::Slab, |meter, found| {
        slabinfo::collect(meter, size, found)
    });
    if let Some(slab) = asked.sources.last_mut() {
        slab.held
            .retain(|held| !slabinfo::is_reclaimable(request.root, held));
    }
    asked.ask(SourceKind::Sockets, |meter, found| {
        sockets::collect(meter, size, found)
    });
    asked.ask(SourceKind::Zram, zram::collect);
    asked.ask(SourceKind::Cma, |meter, found| {
        cma::collect(meter, size, found)
    });
    asked.ask(SourceKind::DmaBuffers, dma_buf::collect);
    asked.ask(SourceKind::AllocInfo, allocinfo::collect);
    asked.ask(SourceKind::Services, services::collect);
    asked.ask(SourceKind::Vmalloc, |meter, found| {
        vmallocinfo::collect(meter, size, found)
    });

    let mut seen = Processes::default();
    asked.ask(SourceKind::Processes, |meter, found| {
        processes::collect(meter, size, &mut seen, found)
    });
    asked.ask(SourceKind::Descriptors, |meter, found| {
        processes::collect_descriptors(meter, &mut seen, found)
    });
    asked.ask(SourceKind::Sizes, |meter, found| {
        processes::collect_sizes(meter, &seen, found)
    });
    asked.ask(SourceKind::PacketRings, |meter, found| {
        processes::collect_rings(meter, &seen, found)
    });
    asked.ask(SourceKind::Queues, |meter, found| {
        processes::collect_queues(meter, &seen, found)
    });

    asked.ask(SourceKind::PageOwner, |meter, found| {
        page_owner::collect(meter, size, found)
    });
    if request.wants_census {
        asked.meter.allow(CENSUS);
        asked.ask(SourceKind::Census, |meter, found| {
            census::collect(meter, size, found)
        });
    }
    asked.sources
}

/// The sources that have been asked.
struct Asked<'m, 'a> {
    meter: &'m mut Meter<'a>,
    sources: Vec<SourceReport>,
}

impl Asked<'_, '_> {
    /// Asks one more. It may take half of the time and of the room that are left.
    fn ask(
        &mut self,
        kind: SourceKind,
        collect: impl FnOnce(&mut Meter<'_>, &mut Holdings) -> Result<(), Halt>,
    ) {
        let meter = &mut *self.meter;
        let start = meter.cpu();
        meter.allot();
        let mut found = Holdings::default();
        let _of_the_source_before = meter.take_refusals();
        let result = meter.check().and_then(|()| collect(meter, &mut found));
        let result = refused(result, &meter.take_refusals());
        let (held, least) = found.finish();
        self.sources.push(SourceReport {
            kind,
            standing: standing(kind, result),
            cpu_us: micros(meter.cpu().saturating_sub(start)),
            held,
            least,
        });
    }
}

/// Returns the result of a collector, unless looks were refused of which it says nothing. That time had run out, too,
/// is said with that: more time alone would not help.
fn refused(result: Result<(), Halt>, refusals: &Refusals) -> Result<(), Halt> {
    if refusals.count == 0 {
        return result;
    }
    let why = match refusals.count {
        1 => format!("{}; {RIGHTS}", refusals.first),
        many => format!(
            "{}, and {} other looks were refused; {RIGHTS}",
            refusals.first,
            many - 1
        ),
    };
    match result {
        Ok(()) | Err(Halt::Missing | Halt::Useless(_)) => Err(Halt::Denied(why)),
        Err(Halt::Spent(_)) => Err(Halt::Partly(format!(
            "{why}; beside that, time had run out"
        ))),
        Err(Halt::Denied(own)) if own.contains(&refusals.first) => Err(Halt::Denied(why)),
        other => other,
    }
}

fn standing(kind: SourceKind, result: Result<(), Halt>) -> SourceStatus {
    match result {
        Ok(()) => SourceStatus::Read,
        Err(Halt::Missing) => SourceStatus::Absent {
            why: kind.absence().to_owned(),
        },
        Err(Halt::Useless(why)) => SourceStatus::Absent { why },
        Err(Halt::Failed(why)) => SourceStatus::Failed { why },
        Err(Halt::Partly(why)) => SourceStatus::Cut { why },
        Err(Halt::Denied(why)) => SourceStatus::Denied { why },
        Err(Halt::Spent(Spent::Cpu)) => SourceStatus::Cut {
            why: "the time for evidence had run out; evidence-budget-ms in [core] allows more"
                .to_owned(),
        },
        Err(Halt::Spent(Spent::Text)) => SourceStatus::Cut {
            why: "as much text as allowed had been read; evidence-budget-ms in [core] allows more"
                .to_owned(),
        },
    }
}
