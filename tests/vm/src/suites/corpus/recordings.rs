//! What is recorded: which leaks and loads, on which kernels, and how fast.

use std::fmt::Write as _;

/// Milliseconds between frames, frames, and by how much time can be stretched.
type Pace = (u32, u32, &'static str);

/// Scans every 30 s, as the detectors of jumps expect them.
const SCANS: Pace = (150, 120, "[200]");
/// Scans every 600 s, which fill the hours that trends are seen in.
const HOURS: Pace = (150, 200, "[4000]");
const BOTH: Pace = (150, 130, "[200, 4000]");
/// Scans every 30 s that are long enough for a tenth more each time, on a machine that is emulated.
const LONG_SCANS: Pace = (600, 60, "[50]");

/// The machine is at rest before.
const BEGIN_SECS: u32 = 2;
/// How long an innocent load goes on.
const HOLD_SECS: u32 = 10;

/// One trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recording {
    /// The series of the kernel; `None` on the machine that we are on.
    pub(super) kernel: Option<&'static str>,
    /// How memory is lost, or the name of an innocent load.
    class: &'static str,
    /// How fast it is lost; `None` if it is not.
    speed: Option<Speed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speed {
    /// More than a tenth more in each frame.
    Slow,
    /// All at once.
    Fast,
    Steps,
    Noise,
    Constant,
}

const OLD: Option<&str> = Some("6.1");
const STABLE: Option<&str> = Some("6.12");
const NEW: Option<&str> = Some("7");
const HERE: Option<&str> = None;

/// All traces. Classes and speeds are spread over the kernels, as all combinations would be too many to keep.
pub(super) fn all() -> Vec<Recording> {
    use Speed::{Constant, Fast, Noise, Slow, Steps};
    let leaks = [
        (OLD, "pages-order0", &[Slow, Constant][..]),
        (STABLE, "pages-order0", &[Fast, Noise]),
        (NEW, "pages-order0", &[Constant]),
        (OLD, "pages-order3", &[Fast]),
        (STABLE, "pages-order3", &[Constant]),
        (STABLE, "pages-order9", &[Steps]),
        (NEW, "pages-order9", &[Fast]),
        (OLD, "refs", &[Constant]),
        (STABLE, "refs", &[Fast]),
        (NEW, "refs", &[Slow]),
        (OLD, "kmalloc", &[Constant]),
        (STABLE, "kmalloc", &[Fast]),
        (NEW, "kmalloc", &[Steps]),
        (OLD, "vmalloc", &[Noise]),
        (STABLE, "vmalloc", &[Constant]),
        (OLD, "percpu", &[Constant]),
        (NEW, "percpu", &[Steps]),
        (OLD, "pipes", &[Slow]),
        (STABLE, "pipes", &[Constant]),
        (HERE, "pipes", &[Fast, Constant]),
        (OLD, "packet-ring", &[Steps]),
        (NEW, "packet-ring", &[Fast]),
    ];
    let loads = [
        (OLD, &["cache", "tmpfs"][..]),
        (STABLE, &["mlock", "swap", "hugetlb", "cgroups"]),
        (NEW, &["huge", "tasks", "xfs", "fragment"]),
        (HERE, &["gcc", "copies", "network", "forks", "build"]),
    ];
    let leaks = leaks.into_iter().flat_map(|(kernel, class, speeds)| {
        speeds.iter().map(move |&speed| Recording {
            kernel,
            class,
            speed: Some(speed),
        })
    });
    let loads = loads.into_iter().flat_map(|(kernel, classes)| {
        classes.iter().map(move |class| Recording {
            kernel,
            class,
            speed: None,
        })
    });
    leaks.chain(loads).collect()
}

impl Speed {
    fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Fast => "fast",
            Self::Steps => "steps",
            Self::Noise => "noise",
            Self::Constant => "constant",
        }
    }

    /// The parameters of the leak, as a word of the shell. The machines have 1 GiB.
    fn parameters(self) -> &'static str {
        match self {
            Self::Slow => "rate=$(($(missing) * 35 / 100)) growth=35 max=400000",
            Self::Fast => "rate=0 step=400000 step_secs=1 max=400000",
            Self::Steps => "rate=0 step=28000 step_secs=2 max=450000",
            Self::Noise => "rate=14000 noise=90 max=450000",
            Self::Constant => "rate=14000 max=450000",
        }
    }

    fn pace(self) -> Pace {
        match self {
            Self::Slow => LONG_SCANS,
            Self::Fast => SCANS,
            Self::Steps | Self::Noise | Self::Constant => HOURS,
        }
    }
}

impl Recording {
    /// What it is called: by kernel, class and speed.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.kernel.unwrap_or("live"), self.what())
    }

    /// What happens, without where.
    pub(super) fn what(&self) -> String {
        match self.speed {
            Some(speed) => format!("{}-{}", self.class, speed.name()),
            None => self.class.to_owned(),
        }
    }

    pub(super) fn file(&self) -> String {
        format!("{}.jsonl.zst", self.name())
    }

    /// Variables for `guest/corpus.sh`.
    pub(super) fn settings(&self) -> [(&'static str, String); 8] {
        // Per-CPU memory takes more than is asked for: a copy for each processor that there could be.
        let parameters = match (self.speed, self.class) {
            (Some(Speed::Steps), "percpu") => "rate=0 step=16000 step_secs=2 max=200000",
            (Some(_), "percpu") => "rate=8000 max=200000",
            (speed, _) => speed.map_or("", Speed::parameters),
        };
        let (period_ms, frames, _) = self.pace();
        [
            ("KIND", self.kind().to_owned()),
            ("CLASS", self.class.to_owned()),
            ("PARAMETERS", parameters.to_owned()),
            ("PERIOD_MS", period_ms.to_string()),
            ("FRAMES", frames.to_string()),
            ("BEGIN_SECS", BEGIN_SECS.to_string()),
            ("HOLD_SECS", HOLD_SECS.to_string()),
            ("NOTE", format!("corpus: {}", self.name())),
        ]
    }

    fn pace(&self) -> Pace {
        self.speed.map_or(BOTH, Speed::pace)
    }

    fn kind(&self) -> &'static str {
        if self.speed.is_some() {
            "leak"
        } else {
            "benign"
        }
    }

    /// Who loses the memory: a module of the kernel, or a process.
    fn owner(&self) -> Option<&'static str> {
        self.speed?;
        Some(match self.class {
            "pipes" | "packet-ring" => "lose",
            _ => "memleak_sim",
        })
    }

    /// The label, with what was noted when it was recorded.
    pub(super) fn label(&self, noted: &str) -> String {
        let mut label = String::new();
        let mut line = |key: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(label, "{key} = {value}");
        };
        let quoted = |text: &str| format!("\"{text}\"");
        line("file", &quoted(&self.file()));
        line("kind", &quoted(self.kind()));
        line("class", &quoted(self.class));
        if let Some(speed) = self.speed {
            line("speed", &quoted(speed.name()));
        }
        if let Some(owner) = self.owner() {
            line("owner", &quoted(owner));
        }
        line("stretch", self.pace().2);
        label.push_str(noted.trim_end());
        let command = format!("cargo vm corpus --only {}", self.name());
        label + &format!("\ncommand = \"{command}\"\n")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kernels;

    #[test]
    fn no_two_traces_have_the_same_name() {
        let names: BTreeSet<String> = all().iter().map(Recording::name).collect();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn each_is_kept_with_its_label() {
        let labels = include_str!("../../../../traces/corpus/labels.toml");
        for recording in all() {
            let command = format!("command = \"cargo vm corpus --only {}\"", recording.name());
            assert!(labels.contains(&command), "{command} is missing");
        }
        assert_eq!(labels.matches("[[trace]]").count(), all().len());
    }

    #[test]
    fn all_kernels_are_there_and_no_others() {
        let recorded: BTreeSet<&str> = all().iter().filter_map(|it| it.kernel).collect();
        let known: BTreeSet<&str> = kernels::all().iter().map(|kernel| kernel.series).collect();
        assert_eq!(recorded, known);
    }

    #[test]
    fn a_label_says_what_happens_and_how_to_record_it_again() {
        let recording = Recording {
            kernel: Some("6.1"),
            class: "pipes",
            speed: Some(Speed::Steps),
        };
        let label = recording.label("lost_kib = 7\nbegins_ms = 3010\nkernel = \"6.1.0\"\n");
        assert_eq!(
            label,
            "file = \"6.1-pipes-steps.jsonl.zst\"\nkind = \"leak\"\nclass = \"pipes\"\nspeed = \"steps\"\n\
             owner = \"lose\"\nstretch = [4000]\nlost_kib = 7\nbegins_ms = 3010\nkernel = \"6.1.0\"\n\
             command = \"cargo vm corpus --only 6.1-pipes-steps\"\n"
        );
    }
}
