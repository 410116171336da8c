//! What a daemon noted before a crash, and what the next one makes of it: in the same boot, and in the next.

use super::checks::{Case, Findings};
use super::{Bench, set};
use crate::machine;
use crate::problem::Result;

const CONFIG: &str = "\
ENABLE_MEMLEAK_CHECK = 0
ENABLE_FREE_PAGE_MGMT = 1
ENABLE_COMPACTION = 0
[core]
period-secs = 1
runtime-dir = \"/disk/run\"
";

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut findings = Findings::new();
    for tree in bench.kernels()? {
        let disk = bench
            .workshop
            .target
            .join(format!("kept-{}", tree.kernel.series));
        let boots = [
            ("crash, and a daemon in the same boot", "first", 1),
            ("crash of daemon and machine", "first", 0),
            ("the boot after", "second", 0),
        ];
        for (name, boot, restart) in boots {
            if boot == "first" {
                machine::make_disk(&disk, 64)?;
            }
            let mut machine = bench.machine();
            machine.kept_disks.push(disk.clone());
            let case = Case {
                name: name.to_owned(),
                machine,
                script: "reboot.sh",
                config: CONFIG.to_owned(),
                settings: vec![set("BOOT", boot), set("RESTART", restart)],
            };
            findings.run(bench, &tree, &case);
        }
    }
    Ok(findings.print())
}
