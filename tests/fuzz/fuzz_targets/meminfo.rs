//! `/proc/meminfo`: any texts, one after the other, are read as each of them alone is.
#![no_main]

use agent_core::kernel::Meminfo;
use harness::readings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readings::check(data, Meminfo::update, values));

fn values(meminfo: &Meminfo) -> Vec<(String, u64)> {
    meminfo
        .iter()
        .map(|(key, amount)| (key.to_owned(), amount))
        .collect()
}
