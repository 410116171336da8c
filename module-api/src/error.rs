//! Why a module does not have what it looked for.

use core::fmt;
use std::borrow::Cow;
use std::io;

use crate::abi;

/// Why something that a module asks a [`Snapshot`](crate::Snapshot) for is not in it.
///
/// This is the one way in which a file, a tunable, or what comes from a file is absent. (A single number in a file
/// that was read is an `Option`: kernels differ in what they count.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// The module names it neither in [`Info::needs`](crate::Info::needs) nor in
    /// [`Info::writes`](crate::Info::writes): a mistake of its author.
    NotDeclared(&'static str),
    /// There is no such thing on this machine: its kernel is too old or was built without it.
    Absent(&'static str),
    /// It is there, and could not be read.
    #[non_exhaustive]
    Unreadable {
        /// The path of a file, or the name of a tunable.
        name: &'static str,
        /// The error number of the attempt. `EBADMSG` is for a file that is not what the kernel documents,
        /// `EOPNOTSUPP` is also for a tunable that this core does not know.
        errno: i32,
    },
}

impl Unavailable {
    /// By the error number that the core tells; 0 if all went well and there was nothing.
    pub(crate) const fn from_errno(name: &'static str, errno: i32) -> Self {
        match errno {
            0 | abi::ENOENT => Self::Absent(name),
            errno => Self::Unreadable { name, errno },
        }
    }

    /// Whether this machine does not have it, so that there is nothing to repair.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// The error number of the attempt to read it.
    #[must_use]
    pub const fn errno(&self) -> Option<i32> {
        match self {
            Self::NotDeclared(_) => None,
            Self::Absent(_) => Some(abi::ENOENT),
            Self::Unreadable { errno, .. } => Some(*errno),
        }
    }

    /// What kind of error that was, as `std` sorts them.
    #[must_use]
    pub fn kind(&self) -> Option<io::ErrorKind> {
        self.errno()
            .map(|errno| io::Error::from_raw_os_error(errno).kind())
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDeclared(name) => {
                write!(f, "the module does not declare that it uses {name}")
            }
            Self::Absent(name) => write!(f, "there is no {name}"),
            Self::Unreadable {
                name,
                errno: abi::EBADMSG,
            } => write!(f, "cannot read {name}: it is not what the kernel documents"),
            Self::Unreadable { name, errno } => {
                write!(
                    f,
                    "cannot read {name}: {}",
                    io::Error::from_raw_os_error(*errno)
                )
            }
        }
    }
}

impl core::error::Error for Unavailable {}

/// Why a module could not make sense of a snapshot.
///
/// ```
/// # use adaptivemm_module_api::{ScanError, Snapshot};
/// fn load(snapshot: &Snapshot<'_>) -> Result<f64, ScanError> {
///     // What is unavailable says so itself.
///     let text = snapshot.file("/proc/loadavg")?;
///     let text = String::from_utf8_lossy(text);
///     let first = text.split(' ').next().and_then(|first| first.parse().ok());
///     first.ok_or_else(|| ScanError::new(format!("/proc/loadavg begins with no number: {text:?}")))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanError(Reason);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Told(Cow<'static, str>),
    Unavailable(Unavailable),
}

impl ScanError {
    /// Something is missing or makes no sense, as a sentence: `/proc/meminfo has no MemTotal`.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(Reason::Told(text.into()))
    }

    /// What was not available, if that is the reason.
    #[must_use]
    pub const fn unavailable(&self) -> Option<&Unavailable> {
        match &self.0 {
            Reason::Told(_) => None,
            Reason::Unavailable(unavailable) => Some(unavailable),
        }
    }
}

impl From<Unavailable> for ScanError {
    fn from(unavailable: Unavailable) -> Self {
        Self(Reason::Unavailable(unavailable))
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Told(text) => f.write_str(text),
            Reason::Unavailable(unavailable) => unavailable.fmt(f),
        }
    }
}

impl core::error::Error for ScanError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_whose_fault_it_is_that_something_is_not_there() {
        let name = "/proc/loadavg";
        let reasons = [
            Unavailable::NotDeclared(name),
            Unavailable::from_errno(name, 2),
            Unavailable::from_errno(name, 13),
            Unavailable::from_errno(name, 74),
        ];

        let told = reasons.map(|reason| ScanError::from(reason).to_string());
        let kinds = reasons.map(|reason| (reason.errno(), reason.kind()));
        let kinds = &kinds[..3];

        assert_eq!(
            told,
            [
                "the module does not declare that it uses /proc/loadavg",
                "there is no /proc/loadavg",
                "cannot read /proc/loadavg: Permission denied (os error 13)",
                "cannot read /proc/loadavg: it is not what the kernel documents",
            ]
        );
        assert_eq!(
            kinds,
            [
                (None, None),
                (Some(2), Some(io::ErrorKind::NotFound)),
                (Some(13), Some(io::ErrorKind::PermissionDenied)),
            ]
        );
    }
}
