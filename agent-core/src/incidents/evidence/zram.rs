//! `mm_stat` of zram devices: compressed swap in memory.

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;

const DIRECTORY: &str = "/sys/block";

/// Collects the memory of zram. Nothing is held where the kernel counts the pages of zsmalloc in `/proc/vmstat`: they
/// are accounted for then.
pub(super) fn collect(meter: &mut Meter<'_>, found: &mut Holdings) -> Result<(), Halt> {
    let names = meter.list(DIRECTORY)?;
    let devices: Vec<_> = names
        .iter()
        .filter(|name| name.starts_with("zram"))
        .collect();
    if devices.is_empty() {
        return Err(Halt::Missing);
    }
    let mut is_accounted = false;
    meter.lines("/proc/vmstat", |line| {
        is_accounted |= line.starts_with("nr_zspages ");
    })?;
    for name in devices {
        let text = meter.text(&format!("{DIRECTORY}/{name}/mm_stat"))?;
        if let Some(bytes) = used(&text).filter(|_| !is_accounted) {
            found.add(Some(Class::Unaccounted), Certainty::Exact, name, bytes);
        }
    }
    Ok(())
}

/// The third number: what it takes in all, in bytes.
fn used(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_number_is_what_it_takes() {
        // The first line is of Linux 6.12.117 (`cargo vm profiled`); that of one that compresses is made up.
        let full = "100663296 100663296 100663296        0 100663296        0        0    24576    24576\n";
        let small = " 4096 74 12288 0 12288 0 0 0 0\n";

        assert_eq!([full, small].map(used), [Some(96 << 20), Some(12_288)]);
        assert_eq!(["", "1 2", "1 2 x", "1 2 -3"].map(used), [None; 4]);
    }
}
