//! The totals of pressure stall information: what counts are the totals of the first line of each kind.
#![no_main]

use agent_core::kernel::pressure;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(read) = pressure(data) {
        let line = |name: &str, total: std::time::Duration| {
            format!("{name} avg10=0.00 avg60=0.00 avg300=0.00 total={}\n", total.as_micros())
        };
        let full = read.full.map_or_else(String::new, |full| line("full", full));
        let printed = line("some", read.some) + &full;
        assert_eq!(pressure(printed.as_bytes()), Ok(read));
    }
});
