//! `/proc/vmstat`: any texts, one after the other, are read as each of them alone is.
#![no_main]

use agent_core::kernel::Vmstat;
use harness::readings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readings::check(data, Vmstat::update, values));

fn values(vmstat: &Vmstat) -> Vec<(String, u64)> {
    vmstat
        .iter()
        .map(|(key, count)| (key.to_owned(), count))
        .collect()
}
