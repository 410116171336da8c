//! What a module is shown: a recorded machine, or some moments of this one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use adaptivemm_module_api::units::{PageSize, Uptime};
use crossbeam_channel::after;

use crate::terminal::complain;
use agent_core::kernel::trace::{Frame, Header, Reader, TraceError};
use agent_core::kernel::{Root, Sampler, Snapshot, Wanted};

/// The period of a daemon that nobody configured.
const PERIOD: Duration = Duration::from_secs(30);
/// No daemon has a longer one.
const LONGEST_PERIOD: Duration = Duration::from_secs(3600);
/// Frames are shown more than once, so they are kept: more than a week of a machine.
const MAX_BYTES: usize = 256 << 20;
/// How many moments of this machine are taken, and how far apart. They are shown a period apart.
const MOMENTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// All files of one moment by their path, without the leading slash.
pub(super) type Files = BTreeMap<String, String>;

/// Frames, and what is to be known about them. There is at least one.
#[derive(Debug)]
pub(super) struct Reel {
    pub(super) page_size: Option<PageSize>,
    pub(super) period: Duration,
    frames: Vec<Frame>,
}

impl Reel {
    /// A trace.
    pub(super) fn of_trace(path: &Path) -> Result<Self, TraceError> {
        let mut trace = Reader::open(path)?;
        let Header {
            page_size,
            period_ms,
            ..
        } = trace.header().clone();
        let mut frames = Vec::new();
        let mut bytes = 0;
        while let Some(frame) = trace.next_frame()? {
            bytes += frame.bytes();
            frames.push(frame);
            if bytes > MAX_BYTES {
                return Err(TraceError::Line {
                    line: 1 + frames.len() as u64,
                    reason: format!(
                        "the frames so far have more than {} MiB, which is the most that a module is tested with",
                        MAX_BYTES >> 20
                    ),
                });
            }
        }
        if trace.is_truncated() {
            complain(&format_args!(
                "{}: the last line was cut off and is left out",
                path.display()
            ));
        }
        if frames.is_empty() {
            return Err(TraceError::Line {
                line: 2,
                reason: "expected a frame".to_owned(),
            });
        }
        Ok(Self {
            page_size: page_size.and_then(PageSize::new),
            period: period_ms
                .map_or(PERIOD, Duration::from_millis)
                .min(LONGEST_PERIOD),
            frames,
        })
    }

    /// Some moments of this machine.
    pub(super) fn of_machine(root: Root, wanted: Wanted) -> Self {
        let mut sampler = Sampler::new(root, wanted, None);
        let mut frames = Vec::new();
        for moment in 0..MOMENTS {
            let snapshot = sampler.take(Uptime(PERIOD * moment), PERIOD);
            let t_ms = milliseconds(PERIOD * moment);
            frames.push(Frame {
                t_ms,
                files: files_of(&snapshot),
            });
            // Something should move.
            let _a_moment_later = after(PAUSE).recv();
        }
        Self {
            page_size: Some(sampler.page_size()),
            period: PERIOD,
            frames,
        }
    }

    pub(super) fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// All files of the first few moments.
    pub(super) fn start(&self) -> Vec<Files> {
        const MOST: usize = 6;
        let mut files = Files::new();
        let moment = |frame: &Frame| {
            apply(&mut files, frame);
            files.clone()
        };
        self.frames.iter().take(MOST).map(moment).collect()
    }

    /// The frames over and over, with a clock that goes on.
    pub(super) fn again_and_again(&self) -> impl Iterator<Item = Frame> + '_ {
        let first = self.frames[0].t_ms;
        let last = self.frames[self.frames.len() - 1].t_ms;
        let length = (last - first).saturating_add(milliseconds(self.period));
        (0..).flat_map(move |lap: u64| {
            let start = lap.saturating_mul(length);
            let at = move |frame: &Frame| start.saturating_add(frame.t_ms - first);
            let (opening, rest) = (&self.frames[0], &self.frames[1..]);
            let opening = Frame {
                t_ms: at(opening),
                files: self.rewound(),
            };
            let rest = rest.iter().map(move |frame| Frame {
                t_ms: at(frame),
                ..frame.clone()
            });
            std::iter::once(opening).chain(rest)
        })
    }

    /// The first frame, after any other.
    fn rewound(&self) -> BTreeMap<String, Option<String>> {
        let paths = self.frames.iter().flat_map(|frame| frame.files.keys());
        let mut files: BTreeMap<_, _> = paths.map(|path| (path.clone(), None)).collect();
        files.extend(self.frames[0].files.clone());
        files
    }
}

fn files_of(snapshot: &Snapshot) -> BTreeMap<String, Option<String>> {
    let file = |(path, text, result): (
        &str,
        &agent_core::kernel::Text,
        &Result<(), agent_core::kernel::ReadError>,
    )| {
        let readable = result.as_ref().err().is_none_or(|error| !error.is_io());
        let text = String::from_utf8_lossy(text.bytes()).into_owned();
        (
            path.trim_start_matches('/').to_owned(),
            readable.then_some(text),
        )
    };
    snapshot.readings().map(file).collect()
}

/// Changes files as a frame says.
fn apply(files: &mut Files, frame: &Frame) {
    for (path, content) in &frame.files {
        match content {
            Some(text) => files.insert(path.clone(), text.clone()),
            None => files.remove(path),
        };
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
