//! The name and version of this program, as the log, the control socket and incidents give them.

/// The name and version of this program.
#[must_use]
pub(crate) fn version() -> &'static str {
    concat!("adaptivemmd ", env!("CARGO_PKG_VERSION"))
}
