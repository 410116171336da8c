//! `/sys/kernel/dmabuf/buffers`, or `dma_buf/bufinfo` of debugfs: DMA buffers, by the driver that exports them.

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;

const DIRECTORY: &str = "/sys/kernel/dmabuf";
const BUFFERS: &str = "/sys/kernel/dmabuf/buffers";
const BUFINFO: &str = "/sys/kernel/debug/dma_buf/bufinfo";

/// Adds up buffers by exporter.
pub(super) fn collect(meter: &mut Meter<'_>, found: &mut Holdings) -> Result<(), Halt> {
    let mut add = |exporter: &str, bytes| {
        let owner = format!("DMA buffers of {exporter}");
        found.add(Some(Class::Unaccounted), Certainty::Exact, &owner, bytes);
    };
    // A kernel without buffers is worth knowing: the first one may be the leak.
    let are_listed = meter.list(DIRECTORY)?.iter().any(|name| name == "buffers");
    if !are_listed {
        return meter.lines(BUFINFO, |line| {
            if let Some((exporter, bytes)) = buffer(line) {
                add(exporter, bytes);
            }
        });
    }
    for buffer in meter.list(BUFFERS)? {
        meter.check()?;
        let size = meter.number(&format!("{BUFFERS}/{buffer}/size"));
        let exporter = meter.text(&format!("{BUFFERS}/{buffer}/exporter_name"));
        // One that was given back meanwhile is gone.
        if let (Some(size), Ok(exporter)) = (size, exporter) {
            add(exporter.trim(), size);
        }
    }
    Ok(())
}

/// `size flags mode count exporter inode name`.
fn buffer(line: &str) -> Option<(&str, u64)> {
    let mut words = line.split_ascii_whitespace();
    let size = words.next()?.parse().ok()?;
    let exporter = words.nth(3)?;
    words.next()?.parse::<u64>().ok()?;
    Some((exporter, size))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::EvidenceBudget;
    use crate::incidents::evidence::Holding;
    use crate::kernel::Root;

    fn collected(root: &Root) -> (Vec<Holding>, Result<(), Halt>) {
        let mut found = Holdings::default();
        let result = collect(
            &mut Meter::new(root, EvidenceBudget::default(), false),
            &mut found,
        );
        (found.finish().0, result)
    }

    #[test]
    fn a_kernel_without_buffers_is_not_one_that_does_not_list_them() {
        let tree = tempfile::tempdir().unwrap();
        let root = Root::Directory(tree.path().to_owned());
        assert!(matches!(collected(&root).1, Err(Halt::Missing)));

        let buffers = tree.path().join(BUFFERS.trim_start_matches('/'));
        fs::create_dir_all(&buffers).unwrap();
        let (held, result) = collected(&root);
        assert!(held.is_empty() && result.is_ok());
    }

    #[test]
    fn a_buffer_belongs_to_its_exporter() {
        // The line is of Linux 6.12.117, a buffer of `/dev/dma_heap/system` (`cargo vm profiled`).
        let line = "01048576\t00000002\t00080007\t00000001\tsystem\t00000192\t<none>";

        assert_eq!(buffer(line), Some(("system", 1 << 20)));
    }

    #[test]
    fn other_lines_are_passed_over() {
        let lines = [
            "",
            "Dma-buf Objects:",
            "size    \tflags   \tmode    \tcount   \texp_name\tino     \tname",
            "\tAttached Devices:",
            "Total 0 devices attached",
            "Total 192 objects, 201326592 bytes",
        ];

        assert_eq!(lines.map(buffer), [None; 6]);
    }
}
