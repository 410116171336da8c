//! The outcomes of actions, and their words.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::ledger::LedgerError;
use crate::modules::output::Action;

/// The outcome of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionOutcome {
    /// The tunable was changed.
    Done {
        /// The value before.
        before: String,
    },
    /// The compaction of the node has begun; it goes on while scans do.
    Begun,
    /// It would have been done.
    Simulated {
        /// The value that stays; `None` where there is none.
        before: Option<String>,
    },
    /// The tunable has this value already.
    AlreadySo,
    /// The node is being compacted already.
    Busy,
    /// Somebody else changed the tunable after us: it is theirs.
    Yielded {
        /// The value that they gave it.
        found: String,
    },
    /// It was changed too often.
    TooOften {
        /// As many changes of one tunable, or compactions of one node, are allowed per minute.
        limit: u32,
    },
}

impl fmt::Display for ActionOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { before } => write!(f, "done, was {before}"),
            Self::Begun => f.write_str("begun"),
            Self::Simulated {
                before: Some(before),
            } => write!(f, "simulated only, stays {before}"),
            Self::Simulated { before: None } => f.write_str("simulated only"),
            Self::AlreadySo => f.write_str("it has this value already"),
            Self::Busy => f.write_str("skipped: compaction is already running"),
            Self::Yielded { found } => write!(f, "paused: changed externally to {found}"),
            Self::TooOften { limit } => {
                write!(f, "not done: the limit of {limit} per minute is reached")
            }
        }
    }
}

/// An action that could not be carried out.
#[derive(Debug)]
pub enum ActionFailed {
    /// The kernel does not take it.
    Write {
        /// The kernel's file.
        path: PathBuf,
        /// The error of the kernel.
        source: io::Error,
    },
    /// The original value cannot be noted, so it was not even tried.
    Ledger(LedgerError),
    /// A tunable was looked after, and could not be taken out of the ledger: it stays there, and is looked at once more
    /// the next time.
    NotForgotten {
        /// True if it has its original value again; false if it is left to somebody else.
        given_back: bool,
        /// Why the ledger lists it still.
        error: LedgerError,
    },
}

impl fmt::Display for ActionFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, source } => write!(f, "cannot write {}: {source}", path.display()),
            Self::Ledger(error) => write!(f, "{error}"),
            Self::NotForgotten { error, .. } => {
                write!(f, "it stays in the ledger: {error}")
            }
        }
    }
}

impl std::error::Error for ActionFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { source, .. } => Some(source),
            Self::Ledger(error) | Self::NotForgotten { error, .. } => {
                std::error::Error::source(error)
            }
        }
    }
}

/// A tunable whose original value was to be restored, and the result.
#[derive(Debug)]
pub struct Restored {
    /// The name of the tunable.
    pub tunable: String,
    /// The value before our first change.
    pub original: String,
    /// True if it was restored; false if it was changed externally, and is left as it is.
    pub result: Result<bool, ActionFailed>,
}

impl Restored {
    /// True if the tunable has its original value again, whether or not that could be noted.
    #[must_use]
    pub fn is_given_back(&self) -> bool {
        matches!(
            self.result,
            Ok(true)
                | Err(ActionFailed::NotForgotten {
                    given_back: true,
                    ..
                })
        )
    }
}

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tunable, original, ..
        } = self;
        match &self.result {
            Ok(true) => write!(f, "{tunable} restored to {original}"),
            Ok(false) => write!(
                f,
                "{tunable} left as it is: it was changed externally (originally {original})"
            ),
            Err(
                error @ ActionFailed::NotForgotten {
                    given_back: true, ..
                },
            ) => {
                write!(f, "{tunable} restored to {original}, but {error}")
            }
            Err(
                error @ ActionFailed::NotForgotten {
                    given_back: false, ..
                },
            ) => write!(
                f,
                "{tunable} left as it is: it was changed externally (originally {original}), but {error}"
            ),
            Err(error) => write!(f, "cannot restore {tunable} to {original}: {error}"),
        }
    }
}

/// An observation of the actuator when it looks at the tunables, without having been asked for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Somebody else changed a tunable that we had changed: it is theirs from now on.
    Yielded {
        /// The name of the tunable.
        tunable: String,
        /// The value that they gave it.
        found: i64,
        /// The value before our first change.
        original: String,
        /// After how long it is ours again; `None` for never, unless we are told.
        resumes_after: Option<Duration>,
    },
    /// Its tuning resumes; the value that it has now is its original one.
    Resumed {
        /// The name of the tunable.
        tunable: String,
    },
    /// The compaction of a node has ended.
    Compacted {
        /// The number of the node.
        node: u32,
        /// The time that it took.
        took: Duration,
        /// The error of the kernel, if it failed.
        error: Option<String>,
    },
}

impl Notice {
    /// Returns true if it is about what this action changes.
    #[must_use]
    pub fn concerns(&self, action: &Action) -> bool {
        match (self, action) {
            (
                Self::Yielded { tunable, .. } | Self::Resumed { tunable },
                Action::Set { tunable: set, .. },
            ) => tunable == set,
            (Self::Compacted { node, .. }, Action::CompactNode { node: asked }) => node == asked,
            _ => false,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yielded {
                tunable,
                found,
                original,
                resumes_after,
            } => {
                write!(
                    f,
                    "{tunable} was changed externally to {found} (originally {original}); tuning is paused "
                )?;
                if let Some(pause) = resumes_after {
                    write!(f, "for {} s or ", pause.as_secs())?;
                }
                write!(f, "until `adaptivemmd resume {tunable}`")
            }
            Self::Resumed { tunable } => write!(f, "tuning of {tunable} resumed"),
            Self::Compacted {
                node,
                took,
                error: None,
            } => write!(f, "node {node} compacted in {} ms", took.as_millis()),
            Self::Compacted {
                node,
                error: Some(error),
                ..
            } => write!(f, "cannot compact node {node}: {error}"),
        }
    }
}
