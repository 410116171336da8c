//! The limits that an administrator may set, besides single numbers: of changes, incidents, the cost of evidence.

use std::time::Duration;

/// The limits of changes of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeLimits {
    /// The number of changes of one tunable, or compactions of one node, that are allowed per minute.
    pub per_minute: u32,
    /// The time for which a tunable is left alone that somebody else has changed; `None` until we are told.
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

/// The limits of the incidents that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentLimits {
    /// The number of incidents.
    pub count: u64,
    /// The bytes of all of them.
    pub bytes: u64,
}

/// The most that evidence may cost each time it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceBudget {
    /// The time of the processor.
    pub cpu: Duration,
    /// The bytes of text that are read.
    pub text_bytes: u64,
}

/// The bytes that may be read within a second of the processor.
const TEXT_BYTES_PER_SEC: u64 = 40 << 20;

impl EvidenceBudget {
    /// A budget of this time of the processor, and of 4 MiB of text for each 100 ms.
    #[must_use]
    pub fn from_cpu_time(cpu: Duration) -> Self {
        let micros = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
        Self {
            cpu,
            text_bytes: micros.saturating_mul(TEXT_BYTES_PER_SEC) / 1_000_000,
        }
    }
}

impl Default for EvidenceBudget {
    /// With this budget, the evidence before and that of now together cost less than a quarter of a second and 8 MiB.
    fn default() -> Self {
        Self::from_cpu_time(Duration::from_millis(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_more_time_gets_more_room() {
        let budget = EvidenceBudget::from_cpu_time(Duration::from_millis(250));

        assert_eq!(budget.text_bytes, 10 << 20);
        assert_eq!(EvidenceBudget::default().text_bytes, 4 << 20);
    }
}
