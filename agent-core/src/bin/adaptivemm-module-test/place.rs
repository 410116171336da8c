//! Whether the file is where the daemon would load it from.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::geteuid;

use super::report::{Level, Report};
use agent_core::modules::abi::check_trust;

pub(super) fn judge(file: &Path, report: &mut Report) {
    match check_trust(file) {
        Ok(_) => report.say(Level::Ok, "", "place", "the daemon would load it from here"),
        Err(distrust) => {
            let text = format!("the daemon would not load it from here: {distrust}");
            report.say(Level::Warning, "", "place", &text);
        }
    }
    if let Some(why) = closed(file) {
        report.say(Level::Fail, "", "place", &why);
    }
}

/// What keeps the process of the module, which root runs as `nobody`, from opening the file.
fn closed(file: &Path) -> Option<String> {
    if !geteuid().is_root() {
        return None;
    }
    let real = fs::canonicalize(file).ok()?;
    let lacks = |path: &Path, bit| fs::metadata(path).is_ok_and(|found| found.mode() & bit == 0);
    let mut above = real.ancestors().skip(1);
    let wall = if lacks(&real, 0o004) {
        &real
    } else {
        above.find(|directory| lacks(directory, 0o001))?
    };
    Some(format!(
        "its process, which is of the user nobody, cannot open it: {} is not open to others; copy it to a directory \
         that is, or run this as another user than root",
        wall.display()
    ))
}
