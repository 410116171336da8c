//! What a module says: findings, requests, metrics, and how things stand.
#![expect(
    unsafe_code,
    reason = "calls the functions of the sink that the core lends for the call"
)]

use core::fmt;
use core::marker::PhantomData;

use crate::abi::{self, size_of_u32};

/// How bad a finding is, as in syslog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum Severity {
    /// The module or the daemon does not do its work.
    Error = abi::SEVERITY_ERROR,
    /// The machine is heading for trouble.
    Warning = abi::SEVERITY_WARNING,
    /// The machine was changed, or would have been.
    Notice = abi::SEVERITY_NOTICE,
    /// Started, stopped, back to normal.
    Info = abi::SEVERITY_INFO,
    /// What else led to a decision.
    Debug = abi::SEVERITY_DEBUG,
}

impl Severity {
    /// The severity that syslog has under `number`: one that is not among ours is the nearest of them.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        match number {
            0..=abi::SEVERITY_ERROR => Self::Error,
            abi::SEVERITY_WARNING => Self::Warning,
            abi::SEVERITY_NOTICE => Self::Notice,
            abi::SEVERITY_INFO => Self::Info,
            _ => Self::Debug,
        }
    }

    /// The number that syslog has for it.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// In small letters, as in logs and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number behind a finding or a request, with its unit in its name: `unaccounted_bytes`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Number<'a> {
    raw: abi::Number,
    name: PhantomData<&'a str>,
}

impl<'a> Number<'a> {
    /// `value` of `name`. Names are `snake_case` and end in their unit.
    #[must_use]
    pub const fn new(name: &'a str, value: f64) -> Self {
        Self {
            raw: abi::Number {
                name: abi::Str::new(name),
                value,
            },
            name: PhantomData,
        }
    }
}

impl fmt::Debug for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the name was a `&'a str` and still is.
        let name = unsafe { self.raw.name.text() }.unwrap_or_default();
        write!(f, "{name}={}", self.raw.value)
    }
}

/// Something seen. Make one per event, not per scan: what lasts belongs into [`Out::status`].
#[derive(Debug, Clone, Copy)]
pub struct Finding<'a> {
    severity: Severity,
    verbosity: u8,
    code: &'a str,
    text: &'a str,
    details: &'a str,
    numbers: &'a [Number<'a>],
    incident: &'a str,
    is_leak: bool,
    ends_incident: bool,
}

impl<'a> Finding<'a> {
    /// A finding of a kind (`code`, in kebab-case, for programs), told in one line (`text`). Debug
    /// findings are logged from verbosity 3, all others always.
    #[must_use]
    pub const fn new(severity: Severity, code: &'a str, text: &'a str) -> Self {
        let verbosity = match severity {
            Severity::Debug => 3,
            Severity::Error | Severity::Warning | Severity::Notice | Severity::Info => 0,
        };
        Self {
            severity,
            verbosity,
            code,
            text,
            details: "",
            numbers: &[],
            incident: "",
            is_leak: false,
            ends_incident: false,
        }
    }

    /// It is about a leak: memory is lost, or grows without end.
    #[must_use]
    pub const fn leak(self) -> Self {
        Self {
            is_leak: true,
            ..self
        }
    }

    /// Logged only from this verbosity, 0 to 5.
    #[must_use]
    pub const fn from_verbosity(self, verbosity: u8) -> Self {
        Self { verbosity, ..self }
    }

    /// Further lines of evidence, separated by line feeds. The log has those of a notice or less from verbosity 1 on.
    #[must_use]
    pub const fn details(self, details: &'a str) -> Self {
        Self { details, ..self }
    }

    /// The numbers behind it, for programs.
    #[must_use]
    pub const fn numbers(self, numbers: &'a [Number<'a>]) -> Self {
        Self { numbers, ..self }
    }

    /// It belongs to an incident that the module calls `name`, in kebab-case: `growth-86400`.
    ///
    /// The core keeps evidence for it: what it knows about the memory of the machine, then and now. One that is told as
    /// [`Severity::Debug`] is a suspicion: evidence is taken, to compare with later. The first one that is told as
    /// [`Severity::Notice`] or worse opens the incident, and later ones of the same name are added to it, until
    /// [one ends it](Self::end_of_incident).
    #[must_use]
    pub const fn incident(self, name: &'a str) -> Self {
        Self {
            incident: name,
            ..self
        }
    }

    /// The incident that the module calls `name` is over. The same name opens another one later.
    #[must_use]
    pub const fn end_of_incident(self, name: &'a str) -> Self {
        Self {
            incident: name,
            ends_incident: true,
            ..self
        }
    }
}

/// Something that a module wants done to the machine. Whether it is done is for the core to decide;
/// the module sees it in the next snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    kind: u32,
    tunable: &'a str,
    value: i64,
    node: u32,
    reason: &'a str,
    details: &'a str,
    numbers: &'a [Number<'a>],
}

impl<'a> Request<'a> {
    /// Give `tunable` this value, because of `reason`: one line, with the numbers that led to it.
    #[must_use]
    pub const fn set(tunable: &'a str, value: i64, reason: &'a str) -> Self {
        Self {
            kind: abi::SET_TUNABLE,
            tunable,
            value,
            node: 0,
            reason,
            details: "",
            numbers: &[],
        }
    }

    /// Compact the memory of `node`, because of `reason`.
    #[must_use]
    pub const fn compact_node(node: u32, reason: &'a str) -> Self {
        Self {
            kind: abi::COMPACT_NODE,
            tunable: "",
            value: 0,
            node,
            reason,
            details: "",
            numbers: &[],
        }
    }

    /// Further lines, separated by line feeds: what was weighed and what was rejected. Shown by
    /// `adaptivemmd explain`.
    #[must_use]
    pub const fn details(self, details: &'a str) -> Self {
        Self { details, ..self }
    }

    /// The numbers behind it, for programs.
    #[must_use]
    pub const fn numbers(self, numbers: &'a [Number<'a>]) -> Self {
        Self { numbers, ..self }
    }
}

/// Why the core did not take a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The module did not declare it in [`Info::writes`](crate::Info::writes), or the administrator
    /// does not allow it.
    Denied,
    /// This core does not know it.
    Unsupported,
    /// The value makes no sense.
    Invalid,
}

/// The most bytes that [`Out::keep`] takes.
pub const MAX_STATE: usize = abi::MAX_STATE as usize;

/// Where a module's words go, for the length of one call.
#[derive(Debug)]
pub struct Out<'a> {
    raw: abi::Sink,
    // A raw pointer keeps it on this thread.
    lent: PhantomData<(&'a (), *const ())>,
}

impl Out<'_> {
    /// # Safety
    ///
    /// The functions and the context of `raw` may be called until `'a` ends, on this thread.
    pub(crate) const unsafe fn new(raw: abi::Sink) -> Self {
        Self {
            raw,
            lent: PhantomData,
        }
    }

    /// Says what was seen.
    pub fn finding(&mut self, finding: &Finding<'_>) {
        let Some(take) = self.raw.finding else { return };
        let raw = abi::Finding {
            struct_size: size_of_u32::<abi::Finding>(),
            severity: u32::from(finding.severity.number()),
            verbosity: u32::from(finding.verbosity),
            kind: if finding.is_leak { abi::KIND_LEAK } else { 0 },
            code: abi::Str::new(finding.code),
            text: abi::Str::new(finding.text),
            details: abi::Str::new(finding.details),
            numbers: numbers(finding.numbers),
            incident: abi::Str::new(finding.incident),
            effect: if finding.ends_incident {
                abi::EFFECT_ENDS
            } else {
                0
            },
            pad: 0,
        };
        // SAFETY: `new` requires that the sink is alive; `raw` is complete and outlives the call.
        unsafe { take(self.raw.context, &raw const raw) };
    }

    /// Asks for a change.
    ///
    /// # Errors
    ///
    /// If the core refuses it at once. That it was taken does not mean that it will be carried out.
    pub fn request(&mut self, request: &Request<'_>) -> Result<(), Refused> {
        let take = self.raw.request.ok_or(Refused::Unsupported)?;
        let raw = abi::Request {
            struct_size: size_of_u32::<abi::Request>(),
            kind: request.kind,
            tunable: abi::Str::new(request.tunable),
            value: request.value,
            node: request.node,
            pad: 0,
            reason: abi::Str::new(request.reason),
            details: abi::Str::new(request.details),
            numbers: numbers(request.numbers),
        };
        // SAFETY: `new` requires that the sink is alive; `raw` is complete and outlives the call.
        match unsafe { take(self.raw.context, &raw const raw) } {
            abi::OK => Ok(()),
            abi::DENIED => Err(Refused::Denied),
            abi::UNSUPPORTED => Err(Refused::Unsupported),
            _ => Err(Refused::Invalid),
        }
    }

    /// Publishes a number: its name in `snake_case` with its unit at the end, and its value now. A
    /// metric that is not named in a scan has no value then.
    pub fn metric(&mut self, name: &str, value: f64) {
        if let Some(take) = self.raw.metric {
            // SAFETY: `new` requires that the sink is alive; the name outlives the call.
            unsafe { take(self.raw.context, abi::Str::new(name), value) };
        }
    }

    /// Says in one line how things stand now. It is shown by `adaptivemmd -s` and at verbosity 2.
    pub fn status(&mut self, line: &str) {
        if let Some(take) = self.raw.status {
            // SAFETY: `new` requires that the sink is alive; the line outlives the call.
            unsafe { take(self.raw.context, abi::Str::new(line)) };
        }
    }

    /// Keeps bytes for the next instance of the module, which has them as
    /// [`Config::state`](crate::Config::state). The last ones of a scan count, and those of a scan that fails
    /// do not; without any, those of before are forgotten.
    ///
    /// # Errors
    ///
    /// If there are more than [`MAX_STATE`], or this core keeps nothing.
    pub fn keep(&mut self, state: &[u8]) -> Result<(), Refused> {
        let take = self.raw.keep.ok_or(Refused::Unsupported)?;
        // SAFETY: `new` requires that the sink is alive; the bytes outlive the call.
        match unsafe { take(self.raw.context, abi::Str::of_bytes(state)) } {
            abi::OK => Ok(()),
            abi::UNSUPPORTED => Err(Refused::Unsupported),
            _ => Err(Refused::Invalid),
        }
    }

    /// Says why a call fails.
    pub(crate) fn problem(&mut self, key: &str, text: &str) {
        let Some(take) = self.raw.problem else { return };
        let raw = abi::Problem {
            struct_size: size_of_u32::<abi::Problem>(),
            pad: 0,
            key: abi::Str::new(key),
            text: abi::Str::new(text),
        };
        // SAFETY: `new` requires that the sink is alive; `raw` is complete and outlives the call.
        unsafe { take(self.raw.context, &raw const raw) };
    }
}

fn numbers(numbers: &[Number<'_>]) -> abi::Seq<abi::Number> {
    // SAFETY: `Number` is a transparent wrapper of `abi::Number`.
    let raw = unsafe {
        core::slice::from_raw_parts(numbers.as_ptr().cast::<abi::Number>(), numbers.len())
    };
    abi::Seq::new(raw)
}
