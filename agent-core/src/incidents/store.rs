//! The memory of incidents: on the disk the incidents themselves and the evidence of before, in memory the scans of
//! late and how metrics developed.

pub(super) mod archive;
pub(super) mod evidence_store;
pub(super) mod metric_history;
pub(super) mod recent_scans;
