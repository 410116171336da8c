//! `/proc/modules`: which kernel modules are loaded.

use super::meter::Meter;

const PATH: &str = "/proc/modules";
/// More than any machine has.
const MOST: usize = 1000;

/// Their names, sorted. None on a kernel without modules.
pub(super) fn loaded(meter: &mut Meter<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let _absent = meter.lines(PATH, |line| {
        let name = line.split(' ').next().unwrap_or_default();
        if is_name(name) && names.len() < MOST {
            names.push(name.to_owned());
        }
    });
    names.sort_unstable();
    names.dedup();
    names
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    !text.is_empty()
        && text.len() <= 64
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EvidenceBudget;
    use crate::kernel::{Recorded, Root};

    #[test]
    fn they_are_known_by_name() {
        let text =
            "zram 40960 1 - Live 0x0000000000000000\next4 999424 2 - Live 0x0 (E)\n\n\u{7}x 1\n";
        let root = Root::Recorded(Recorded::from([("proc/modules".to_owned(), text.into())]));

        let names = loaded(&mut Meter::new(&root, EvidenceBudget::default(), false));

        assert_eq!(names, ["ext4", "zram"]);
    }
}
