//! What an administrator may limit, besides single numbers: changes, incidents, the cost of evidence.

use std::time::Duration;

/// How often the machine is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeLimits {
    /// As many changes of one tunable, or compactions of one node, are allowed per minute.
    pub per_minute: u32,
    /// For how long a tunable is left alone that somebody else has changed; `None` until we are told.
    pub resume_after: Option<Duration>,
}

impl Default for ChangeLimits {
    fn default() -> Self {
        Self {
            per_minute: 12,
            resume_after: None,
        }
    }
}

/// How many incidents are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentLimits {
    /// Incidents.
    pub count: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// What evidence may cost each time it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceBudget {
    /// Of the processor.
    pub cpu: Duration,
    /// Of text that is read.
    pub text_bytes: u64,
}

/// What may be read within a second of the processor.
const TEXT_BYTES_PER_SEC: u64 = 40 << 20;

impl EvidenceBudget {
    /// So much of the processor, and of text 4 MiB for each 100 ms.
    #[must_use]
    pub fn of(cpu: Duration) -> Self {
        let micros = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
        Self {
            cpu,
            text_bytes: micros.saturating_mul(TEXT_BYTES_PER_SEC) / 1_000_000,
        }
    }
}

impl Default for EvidenceBudget {
    /// Evidence of before and of now together cost less than a quarter of a second and 8 MiB.
    fn default() -> Self {
        Self::of(Duration::from_millis(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_more_time_gets_more_room() {
        let budget = EvidenceBudget::of(Duration::from_millis(250));

        assert_eq!(budget.text_bytes, 10 << 20);
        assert_eq!(EvidenceBudget::default().text_bytes, 4 << 20);
    }
}
