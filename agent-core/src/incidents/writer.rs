//! Keeps incidents: takes evidence, compares it, and writes all of it down. Works in a thread of its own, as none of
//! this is to hold up a scan.

use std::io;
use std::path::PathBuf;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::units::PageSize;

use super::record::{FindingRecord, Incident, Machine, VERSION};
use super::store::archive::{self, Archive};
use super::store::evidence_store::{self, EvidenceStore};
use super::store::recent_scans::{self, RecentScan};
use super::{Attribution, History, IncidentEvent, IncidentMessage, StoredPart};
use crate::base::clock::Moment;
use crate::config::{EvidenceBudget, IncidentLimits};
use crate::incidents::evidence::{Comparison, Evidence, EvidenceRequest, Level, RawText, Trigger};
use crate::kernel::Root;
use crate::kernel::trace::Header;

/// No more are looked at for some that are open, at the start.
const MOST_RESUMED: usize = 8;
/// A suspicion needs no evidence of its own so soon after the last one, in milliseconds.
const FRESH: u64 = 60_000;
/// The number with which a finding says since when its memory grows.
const DURATION: &str = "duration_seconds";

/// The settings of a writer.
#[derive(Debug, Clone)]
pub struct IncidentConfig {
    /// The machine of which evidence is taken.
    pub root: Root,
    /// The directory in which incidents are kept.
    pub state_dir: PathBuf,
    /// The identity of this boot.
    pub boot_id: String,
    /// The number and the size of the incidents that are kept.
    pub room: IncidentLimits,
    /// True if all pages are counted for each incident.
    pub census: bool,
    /// The limits of what evidence may cost.
    pub budget: EvidenceBudget,
}

/// Work for the writer.
#[derive(Debug)]
pub(super) enum WriteTask {
    /// Takes evidence, to compare with later.
    Take {
        why: Trigger,
        at: Moment,
        levels: Vec<Level>,
        page_size: PageSize,
    },
    /// Keeps how the metrics of a module have developed, for a daemon after this one.
    Remember { module: String, history: History },
    /// Notes that a module said something.
    Hear(Box<NewFinding>),
    /// Some scans after an incident was opened.
    After {
        module: String,
        name: String,
        recent_scans: Vec<RecentScan>,
    },
}

/// A finding, and what was known when the module told it.
#[derive(Debug)]
pub(super) struct NewFinding {
    pub(super) module: String,
    /// The name of the incident.
    pub(super) name: String,
    pub(super) severity: Severity,
    pub(super) told: FindingRecord,
    pub(super) history: History,
    pub(super) levels: Vec<Level>,
    pub(super) page_size: PageSize,
    pub(super) period_ms: u64,
    /// The scans before; empty if the incident was open already.
    pub(super) recent_scans: Vec<RecentScan>,
}

/// The writer of incidents, which works in a thread of its own.
#[derive(Debug)]
pub(super) struct IncidentWriter {
    config: IncidentConfig,
    machine: Machine,
    archive: Archive,
    store: EvidenceStore,
    /// The incidents of this boot that are not over, as far as anybody asked.
    open: Vec<Incident>,
}

impl IncidentWriter {
    pub(super) fn new(config: IncidentConfig) -> Self {
        let machine = machine(&config);
        let archive = Archive::below(&config.state_dir);
        let store = EvidenceStore::open(&config.state_dir, &config.boot_id);
        Self {
            config,
            machine,
            archive,
            store,
            open: Vec::new(),
        }
    }

    /// Does one piece of work, and returns what there is to say of it.
    pub(super) fn work(&mut self, job: WriteTask) -> Vec<IncidentMessage> {
        match job {
            WriteTask::Take {
                why,
                at,
                levels,
                page_size,
            } => {
                if why == Trigger::Suspicion && self.has_fresh_evidence(at.uptime_ms) {
                    return Vec::new();
                }
                let (evidence, _) = self.take(why, at, levels, page_size);
                failure(self.store.add(evidence), StoredPart::Evidence)
            }
            WriteTask::Remember { module, history } => {
                let IncidentConfig {
                    state_dir, boot_id, ..
                } = &self.config;
                let kept = evidence_store::remember(state_dir, boot_id, &module, &history);
                failure(kept, StoredPart::MetricHistory)
            }
            WriteTask::Hear(heard) => self.hear(*heard),
            WriteTask::After {
                module,
                name,
                recent_scans,
            } => match self
                .find(&module, &name)
                .map(|incident| incident.id.clone())
            {
                // The incident was told again later, and the scans after it was opened are there already.
                Some(id) if self.archive.place(&id).join("after.jsonl.zst").exists() => Vec::new(),
                Some(id) => failure(
                    self.put_stills(&id, "after", &recent_scans),
                    StoredPart::ScansAfter(id),
                ),
                None => Vec::new(),
            },
        }
    }

    fn has_fresh_evidence(&self, now: u64) -> bool {
        self.store
            .newest()
            .is_some_and(|newest| now.saturating_sub(newest) < FRESH)
    }

    fn hear(&mut self, heard: NewFinding) -> Vec<IncidentMessage> {
        let is_open = self.find(&heard.module, &heard.name).is_some();
        let is_news = heard.severity <= Severity::Notice;
        self.machine.page_size_bytes = heard.page_size.bytes().get();
        self.machine.period_ms = heard.period_ms;
        if heard.told.ends {
            return self.close(heard);
        }
        match (is_open, is_news) {
            (false, true) => self.open(&heard),
            (true, true) => self.go_on(&heard),
            (true, false) => self.add(heard),
            // Nobody would look at it.
            (false, false) => Vec::new(),
        }
    }

    /// Opens an incident. Its record is written before anything that takes time: the machine may be about to die.
    fn open(&mut self, heard: &NewFinding) -> Vec<IncidentMessage> {
        let stem = stem(&heard.told.at.time, &heard.module);
        let id = self.archive.free_id(&stem);
        let mut incident = Incident {
            v: VERSION,
            id: id.clone(),
            module: heard.module.clone(),
            name: heard.name.clone(),
            opened: heard.told.at.clone(),
            over: None,
            machine: Machine {
                mem_total_bytes: self.mem_total(),
                ..self.machine.clone()
            },
            told: vec![heard.told.clone()],
            told_more: 0,
            history: heard.history.clone(),
            comparison: None,
            problems: Vec::new(),
            is_of_earlier_boot: false,
        };
        let mut messages = Vec::new();
        // The incident is compared also where it cannot be written: who reads the log has something of it, and is told
        // then.
        let _told_later = self.archive.write(&incident);
        if let Err(error) = self.put_stills(&id, "before", &heard.recent_scans) {
            incident
                .problems
                .push(format!("the scans before it are not kept: {error}"));
        }
        self.examine(&mut incident, heard, &mut messages);
        self.open.push(incident);
        messages.extend(failure(
            self.archive.make_room(self.config.room),
            StoredPart::OldIncidents,
        ));
        messages
    }

    /// Adds a finding that counts as much as the first one: evidence is taken anew.
    fn go_on(&mut self, heard: &NewFinding) -> Vec<IncidentMessage> {
        let Some(index) = self.index(&heard.module, &heard.name) else {
            return Vec::new();
        };
        let mut incident = self.open.swap_remove(index);
        incident.add(heard.told.clone());
        incident.history = heard.history.clone();
        let mut messages = Vec::new();
        self.examine(&mut incident, heard, &mut messages);
        self.open.push(incident);
        messages
    }

    /// Adds a finding that is of use only to whoever looks.
    fn add(&mut self, heard: NewFinding) -> Vec<IncidentMessage> {
        let archive = self.archive.clone();
        let Some(incident) = self.find(&heard.module, &heard.name) else {
            return Vec::new();
        };
        incident.add(heard.told);
        incident.history = heard.history;
        let part = StoredPart::Incident(incident.id.clone());
        failure(archive.write(incident), part)
    }

    fn close(&mut self, heard: NewFinding) -> Vec<IncidentMessage> {
        let archive = self.archive.clone();
        let Some(index) = self.index(&heard.module, &heard.name) else {
            return Vec::new();
        };
        let mut incident = self.open.swap_remove(index);
        incident.over = Some(heard.told.at.clone());
        incident.history = heard.history;
        incident.add(heard.told);
        let part = StoredPart::Incident(incident.id.clone());
        let mut messages = failure(archive.write(&incident), part);
        messages.push(IncidentMessage {
            module: incident.module,
            event: IncidentEvent::Over { id: incident.id },
            open_since: None,
        });
        messages
    }

    /// Takes over the incidents that were open when a daemon before this one ended.
    pub(super) fn resume(&mut self) -> Vec<IncidentMessage> {
        let ids = self.archive.ids().unwrap_or_default();
        let newest = ids.iter().rev().take(MOST_RESUMED);
        let mut open: Vec<Incident> = newest
            .filter_map(|id| self.archive.read(id).ok())
            .filter(|incident| self.is_of_this_boot_and_open(incident))
            .collect();
        open.reverse();
        let messages = open.iter().map(|incident| IncidentMessage {
            module: incident.module.clone(),
            event: IncidentEvent::StillOpen {
                id: incident.id.clone(),
                since: incident.opened.time.clone(),
            },
            open_since: Some(incident.opened.time.clone()),
        });
        messages.collect()
    }

    fn is_of_this_boot_and_open(&self, incident: &Incident) -> bool {
        incident.over.is_none() && incident.machine.boot_id == self.config.boot_id
    }

    /// Takes evidence for an incident, compares it with that of before, and writes down what comes of it.
    fn examine(
        &mut self,
        incident: &mut Incident,
        heard: &NewFinding,
        messages: &mut Vec<IncidentMessage>,
    ) {
        let at = heard.told.at.clone();
        let (after, raws) = self.take(Trigger::Incident, at, heard.levels.clone(), heard.page_size);
        let opened_by = incident.told.first().unwrap_or(&heard.told);
        let from = began(opened_by);
        let before = self.store.before(from).cloned();
        incident.comparison = before
            .as_ref()
            .map(|before| Comparison::between(before, &after));
        if before.is_none() {
            incident
                .problems
                .push("there is no evidence of before: the daemon had just started".to_owned());
        }
        let kept = self
            .archive
            .write(incident)
            .and_then(|()| self.put_evidence(&incident.id, before.as_ref(), &after, &raws));
        let attribution = Attribution::from_comparison(incident.comparison.as_ref());
        messages.push(IncidentMessage {
            module: incident.module.clone(),
            event: match kept {
                Ok(()) => IncidentEvent::Recorded {
                    id: incident.id.clone(),
                    attribution: incident.is_about_kernel_memory().then_some(attribution),
                },
                Err(error) => IncidentEvent::NotRecorded {
                    id: incident.id.clone(),
                    directory: self.archive.directory().to_owned(),
                    error: error.to_string(),
                    attribution,
                },
            },
            open_since: Some(incident.opened.time.clone()),
        });
        messages.extend(failure(self.store.add(after), StoredPart::Evidence));
    }

    fn take(
        &self,
        why: Trigger,
        at: Moment,
        levels: Vec<Level>,
        page_size: PageSize,
    ) -> (Evidence, Vec<RawText>) {
        Evidence::take(&EvidenceRequest {
            root: &self.config.root,
            page_size,
            at,
            why,
            levels,
            budget: self.config.budget,
            wants_census: self.config.census && why == Trigger::Incident,
        })
    }

    fn put_evidence(
        &self,
        id: &str,
        before: Option<&Evidence>,
        after: &Evidence,
        raws: &[RawText],
    ) -> io::Result<()> {
        if let Some(before) = before {
            let packed = archive::packed(before)?;
            self.archive.put(id, "evidence-before.json.zst", &packed)?;
        }
        let packed = archive::packed(after)?;
        self.archive.put(id, "evidence.json.zst", &packed)?;
        for raw in raws {
            let name = raw.path.trim_start_matches('/').replace('/', "_");
            self.archive
                .put_compressed(id, &format!("raw/{name}"), &raw.text)?;
        }
        Ok(())
    }

    fn put_stills(&self, id: &str, name: &str, recent_scans: &[RecentScan]) -> io::Result<()> {
        if recent_scans.is_empty() {
            return Ok(());
        }
        let Machine {
            kernel,
            arch,
            page_size_bytes,
            period_ms,
            ..
        } = &self.machine;
        let note = format!("incident {id}, scans {name} it");
        let header = Header::new(kernel, arch, *page_size_bytes, *period_ms, &note);
        let trace = recent_scans::trace(&header, recent_scans)?;
        self.archive.put(id, &format!("{name}.jsonl.zst"), &trace)
    }

    fn find(&mut self, module: &str, name: &str) -> Option<&mut Incident> {
        let index = self.index(module, name)?;
        self.open.get_mut(index)
    }

    /// Finds an incident, also one that a daemon before this one has opened.
    fn index(&mut self, module: &str, name: &str) -> Option<usize> {
        let mut open = self.open.iter();
        if let Some(index) = open.position(|incident| incident.is_named(module, name)) {
            return Some(index);
        }
        let ids = self.archive.ids().unwrap_or_default();
        let candidates = ids.iter().rev().filter_map(|id| self.archive.read(id).ok());
        let mut earlier = candidates.filter(|incident| {
            self.is_of_this_boot_and_open(incident) && incident.is_named(module, name)
        });
        let found = earlier.next()?;
        self.open.push(found);
        Some(self.open.len() - 1)
    }

    fn mem_total(&self) -> u64 {
        let text = self.config.root.read("/proc/meminfo").unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default().saturating_mul(1024)
    }
}

/// Returns when the memory of a finding began to grow: since boot, in milliseconds.
fn began(told: &FindingRecord) -> u64 {
    let seconds = told.numbers.get(DURATION).copied().unwrap_or_default();
    let duration = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    told.at.uptime_ms.saturating_sub(ms)
}

/// Returns the beginning of the name of an incident: `20261128-005113-memleak`.
fn stem(time: &str, module: &str) -> String {
    let time: String = time
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == 'T')
        .map(|c| if c == 'T' { '-' } else { c })
        .collect();
    format!("{time}-{module}")
}

/// The facts that do not change while the machine runs.
fn machine(config: &IncidentConfig) -> Machine {
    let root = &config.root;
    Machine {
        host: Some(line(root, "/proc/sys/kernel/hostname")).filter(|host| !host.is_empty()),
        kernel: line(root, "/proc/sys/kernel/osrelease"),
        arch: std::env::consts::ARCH.to_owned(),
        boot_id: config.boot_id.clone(),
        mem_total_bytes: 0,
        page_size_bytes: 0,
        daemon: crate::base::version::version().to_owned(),
        period_ms: 0,
    }
}

fn line(root: &Root, path: &str) -> String {
    let text = root.read(path).unwrap_or_default();
    String::from_utf8_lossy(&text).trim().to_owned()
}

fn failure(result: io::Result<()>, part: StoredPart) -> Vec<IncidentMessage> {
    IncidentMessage::from_result(result, part)
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests;
