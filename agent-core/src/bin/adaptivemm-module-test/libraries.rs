//! What the module brings in besides itself, and what this kernel keeps its process from.

use std::fs;
use std::path::Path;

use super::report::{Level, Report};
use agent_core::modules::abi::{check_libraries, family, is_path};
use agent_core::modules::isolation::Offer;

pub(super) fn judge(file: &Path, offer: &Offer, report: &mut Report) {
    // By the path that the daemon would load it by.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut complaints: Vec<(Level, String)> = Vec::new();
    if let Err(distrust) = check_libraries(&file, &offer.objects) {
        let text = format!("the daemon would not load it: {distrust}");
        complaints.push((Level::Warning, text));
    }
    let warnings = named_places(&file).into_iter();
    complaints.extend(warnings.map(|text| (Level::Warning, text)));
    let lacks = offer.confinement.lacks().into_iter();
    complaints.extend(lacks.map(|lack| (Level::Note, lack.to_owned())));
    report.judge(
        complaints,
        "",
        "libraries",
        "all that it brings in can be trusted",
    );
}

/// Where it, or a library that it brings in so, has libraries looked for. Whoever can write there is in the daemon.
fn named_places(file: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    for (object, linking) in family(&[file.to_owned()]).unwrap_or_default() {
        if !linking.search.is_empty() {
            let places = linking.search.iter().map(|each| each.to_string_lossy());
            let places: Vec<_> = places.collect();
            warnings.push(format!(
                "{} has a RUNPATH or RPATH, {:?}: whoever can write there has a library loaded as root; link it \
                 without (`patchelf --remove-rpath`)",
                object.display(),
                places.join(":")
            ));
        }
        for name in linking.needed.iter().filter(|name| is_path(name)) {
            warnings.push(format!(
                "{} needs the library {:?} by its path: whoever can write there has it loaded as root",
                object.display(),
                name.to_string_lossy()
            ));
        }
    }
    warnings
}
