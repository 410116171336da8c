//! `/proc/buddyinfo`: any texts, one after the other, are read as each of them alone is.
#![no_main]

use agent_core::kernel::Buddyinfo;
use harness::readings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readings::check(data, Buddyinfo::update, values));

fn values(buddyinfo: &Buddyinfo) -> Vec<(u32, String, Vec<u64>)> {
    buddyinfo
        .zones()
        .map(|(node, zone, counts)| (node, zone.to_owned(), counts.collect()))
        .collect()
}
