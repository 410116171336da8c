//! `/proc/zoneinfo`: any texts, one after the other, are read as each of them alone is.
#![no_main]

use adaptivemm_module_api::units::Pages;
use agent_core::kernel::Zoneinfo;
use harness::readings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readings::check(data, Zoneinfo::update, values));

/// A zone or a node: its number and name, its own numbers, its counters.
type Values = (u32, String, Vec<Option<Pages>>, Vec<(String, u64)>);

fn values(zoneinfo: &Zoneinfo) -> Vec<Values> {
    let zones = zoneinfo.zones().map(|zone| {
        let numbers = [
            zone.free(),
            zone.boost(),
            zone.min(),
            zone.low(),
            zone.high(),
            zone.spanned(),
            zone.present(),
            zone.managed(),
            zone.cma(),
            zone.per_cpu(),
        ];
        (
            zone.node(),
            zone.name().to_owned(),
            numbers.to_vec(),
            owned(zone.counters()),
        )
    });
    let nodes = zoneinfo
        .nodes()
        .map(|node| (node.id(), String::new(), vec![], owned(node.stats())));
    zones.chain(nodes).collect()
}

fn owned<'a>(counters: impl Iterator<Item = (&'a str, u64)>) -> Vec<(String, u64)> {
    counters
        .map(|(key, count)| (key.to_owned(), count))
        .collect()
}
